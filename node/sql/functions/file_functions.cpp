// Files of the server's machine: pg_ls_*, pg_stat_file, pg_read_file. Who may call them is said by pg_proc's
// privileges; without pg_read_server_files only what lies in the data or the log directory can be named.
#include <fcntl.h>

#include <cstring>
#include <filesystem>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/rows/pg_tablespace.h"
#include "node/catalog/syscache.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

using View = std::string_view;
using Values = std::span<const Value>;

constexpr Oid kReadServerFilesRole{4569};

bool IsBelow(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

std::string CheckedPath(View name) {
  std::string path = std::filesystem::path(name).lexically_normal().string();
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (HasRightsOf(session_identity().current_role, kReadServerFilesRole)) return path;
  const std::string& logs = GetString(Setting::kLogDirectory);
  if (path.starts_with('/')) {
    if (IsBelow(path, GetString(Setting::kDataDirectory)) || (logs.starts_with('/') && IsBelow(path, logs)))
      return path;
    throw SqlError(ErrorCode::kInsufficientPrivilege, "absolute path not allowed");
  }
  if (IsBelow(path, "..")) {
    throw SqlError(ErrorCode::kInsufficientPrivilege, "path must be in or below the current directory");
  }
  return path;
}

// --- Directories -------------------------------------------------------------------------------------------

// False: there is none, and `missing_ok`.
bool ListNames(const std::string& directory, bool missing_ok, std::vector<std::string>* names) {
  int result = fs().List(directory.c_str(), names);
  if (result >= 0) return true;
  if (missing_ok && result == -ENOENT) return false;
  throw FileError(-result, fmt::format("could not open directory \"{}\"", directory));
}

std::unique_ptr<TableFunction> NamesIn(View name, bool missing_ok, bool with_dots) {
  std::string directory = CheckedPath(name);
  auto rows = std::make_unique<RowSet>();
  std::vector<std::string> names;
  if (!ListNames(directory, missing_ok, &names)) return rows;
  if (with_dots) names.insert(names.begin(), {".", ".."});
  for (const std::string& entry : names) rows->Add(rows->NewRow().Text(entry));
  return rows;
}
std::unique_ptr<TableFunction> StartNames(CallContext&, Values args) {
  return NamesIn(args[0].datum.string.view(), args.size() > 1 && args[1].datum.b,
                 args.size() > 2 && args[2].datum.b);
}

TimestampUs TimeOf(const timespec& time) {
  return int64_t{time.tv_sec} * 1000000 + time.tv_nsec / 1000 - kUnixEpochToPostgresUs;
}

// name, size, modification of the regular files.
std::unique_ptr<TableFunction> FilesIn(const std::string& directory, bool missing_ok) {
  auto rows = std::make_unique<RowSet>();
  std::vector<std::string> names;
  if (!ListNames(directory, missing_ok, &names)) return rows;
  for (const std::string& name : names) {
    struct stat info;
    // Files may go away meanwhile.
    if (name.starts_with('.') || fs().Stat((directory + "/" + name).c_str(), &info) < 0 ||
        !S_ISREG(info.st_mode))
      continue;
    rows->Add(rows->NewRow().Text(name).Int8(info.st_size).Time(TimeOf(info.st_mtim)));
  }
  return rows;
}
std::unique_ptr<TableFunction> StartLogFiles(CallContext&, Values) {
  return FilesIn(GetString(Setting::kLogDirectory), false);
}
std::unique_ptr<TableFunction> StartWalFiles(CallContext&, Values) { return FilesIn("pg_wal", false); }
std::unique_ptr<TableFunction> StartArchiveStatus(CallContext&, Values) {
  return FilesIn("pg_wal/archive_status", false);
}
std::unique_ptr<TableFunction> StartTemporaryFiles(CallContext&, Values args) {
  if (!args.empty()) {
    Oid tablespace{static_cast<uint32_t>(args[0].datum.i32)};
    if (FindRow<PgTablespaceRow>(catalog_index::kPgTablespaceOidIndex, {tablespace}) == nullptr) {
      throw SqlError(ErrorCode::kUndefinedObject, "tablespace with OID {} does not exist",
                     OidNumber(tablespace));
    }
  }
  return FilesIn("base/pgsql_tmp", true);
}

// --- One file ----------------------------------------------------------------------------------------------

// size, access, modification, change, creation, isdir
void FileInfo(CallContext& c, Values args, Value* result) {
  std::string path = CheckedPath(args[0].datum.string.view());
  struct stat info;
  int status = fs().Stat(path.c_str(), &info);
  if (status == -ENOENT && args.size() > 1 && args[1].datum.b) return;
  if (status < 0) throw FileError(-status, fmt::format("could not stat file \"{}\"", path));
  RowValues row(c.arena);
  row.Int8(info.st_size)
      .Time(TimeOf(info.st_atim))
      .Time(TimeOf(info.st_mtim))
      .Time(TimeOf(info.st_ctim))
      .Null();
  *result = Value{StringDatum(MakeRecord(c, row.Bool(S_ISDIR(info.st_mode)))), false};
}

struct FileRange {
  int64_t offset = 0;   // negative: from the end
  int64_t length = -1;  // negative: the rest
};

// Nothing: there is no such file, and `missing_ok`.
std::optional<View> ReadRange(CallContext& c, View name, FileRange range, bool missing_ok) {
  std::string path = CheckedPath(name);
  int error = 0;
  File file = File::TryOpen(path, O_RDONLY, &error);
  if (!file.is_open()) {
    if (error == ENOENT && missing_ok) return std::nullopt;
    throw FileError(error, fmt::format("could not open file \"{}\" for reading", path));
  }
  struct stat info;
  if (fs().StatFd(file.fd(), &info) >= 0 && S_ISDIR(info.st_mode)) {
    throw SqlError(ErrorCode::kWrongObjectType, "could not read file \"{}\": {}", path,
                   std::strerror(EISDIR));
  }
  auto size = static_cast<int64_t>(file.Size());
  int64_t from = range.offset >= 0 ? range.offset : std::max<int64_t>(size + range.offset, 0);
  // What the system makes up as it is read (/proc) has no size.
  int64_t rest = size == 0 ? static_cast<int64_t>(kMaxTextBytes) : std::max<int64_t>(size - from, 0);
  if (range.length >= 0) rest = std::min(rest, range.length);
  std::string content;
  for (size_t chunk = 64 * 1024; rest > 0;) {
    size_t want = std::min(chunk, static_cast<size_t>(rest)), before = content.size();
    CheckTextSize(before + want);
    content.resize(before + want);
    size_t got = file.ReadAt(content.data() + before, want, static_cast<uint64_t>(from) + before);
    content.resize(before + got);
    rest -= static_cast<int64_t>(got);
    if (got < want) break;
  }
  return Keep(c, content);
}

FileRange RangeOf(Values args) {
  if (args.size() < 3) return {};
  FileRange range{args[1].datum.i64, args[2].datum.i64};
  if (range.length < 0)
    throw SqlError(ErrorCode::kInvalidParameterValue, "requested length cannot be negative");
  return range;
}
// (name [, offset, length [, missing_ok]])
template <bool kIsText>
void ReadFile(CallContext& c, Values args, Value* result) {
  std::optional<View> content =
      ReadRange(c, args[0].datum.string.view(), RangeOf(args), args.size() > 3 && args[3].datum.b);
  if (!content) return;
  if (kIsText) Utf8Validate(*content);
  *result = Value{StringDatum(*content), false};
}

template <RowFunction F>
constexpr ScalarFunction Form(View name) {
  return {name, &scalar_internal::RowKernel<F, true, true>, F, true};
}
constexpr ScalarFunction kTable[] = {
    Form<&FileInfo>("pg_stat_file_1arg"),
    Form<&FileInfo>("pg_stat_file"),
    Form<&ReadFile<true>>("pg_read_file_all"),
    Form<&ReadFile<true>>("pg_read_file_off_len"),
    Form<&ReadFile<true>>("pg_read_file_v2"),
    Form<&ReadFile<false>>("pg_read_binary_file_all"),
    Form<&ReadFile<false>>("pg_read_binary_file_off_len"),
    Form<&ReadFile<false>>("pg_read_binary_file"),
};
constexpr SetFunction kSets[] = {
    {"pg_ls_dir_1arg", true, &StartNames},
    {"pg_ls_dir", true, &StartNames},
    {"pg_ls_logdir", true, &StartLogFiles},
    {"pg_ls_waldir", true, &StartWalFiles},
    {"pg_ls_archive_statusdir", true, &StartArchiveStatus},
    {"pg_ls_tmpdir_noargs", true, &StartTemporaryFiles},
    {"pg_ls_tmpdir_1arg", true, &StartTemporaryFiles},
};

}  // namespace

std::span<const ScalarFunction> FileFunctions() { return kTable; }
std::span<const SetFunction> FileSetFunctions() { return kSets; }

}  // namespace walden
