// A layer under File for tests of power loss: passes every call on to the kernel and keeps a journal, outside the data
// directory and shared by all processes of the node, from which tests/crash/power_loss.py can take back what no fsync had
// settled when the node was killed.
//
// Format: FOLDER/journal is a sequence of records, appended by one write each (O_APPEND):
//   0 magic "UJ" (2)  2 kind (1)  3 0 (1)  4 total size (4)  8 inode (8)  16 a (8)  24 b (8)  32 path size (2)  34 path 2 size (2)
//   36 0 (4)  40 path, path 2, bytes
//   kind 'w': written at offset a of a file that had size b; bytes: length (8), and what had stood there before its end
//        't': truncated to a from b; the old bytes from a on follow      's': fsync: all before journal offset a is settled
//        'c': path was made (file or directory)   'u': path was removed   'r': path was renamed to path 2 (a: inode that it replaced)
//        'd': fsync of directory path: entries before journal offset a are settled
// Every file that is opened for writing, or removed, has a hard link FOLDER/<inode>, so that it can be given back.
// A record is appended after the change and before the call returns: whoever knows of the change finds it in the journal.
//
// FOLDER/fail, if it exists, makes the first call that fits it fail: "operation errno path-part", operation write or sync.
// It is removed by the process that obeys it.
#pragma once

#include <memory>
#include <string>

#include "node/os/file_system.h"

namespace walden {

// `folder` exists, on the file system of the data directory.
std::unique_ptr<FileSystem> MakeUnsettledFileSystem(const std::string& folder);

}  // namespace walden
