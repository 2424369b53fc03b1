// The WAL reader: a stream of records with right checksums and anything in them, and one with whatever there is. Every record that
// decodes can be described, and its page images unpack or are refused.
#include <cstring>

#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/server/composition.h"
#include "node/wal/reader.h"
#include "node/wal/record_handler.h"
#include "tests/fuzz/fuzz_input.h"

namespace walden {
namespace {

constexpr Lsn kStart{kWalSegmentSize};
constexpr TimelineId kTimeline = 1;

class MemorySource : public WalSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
  size_t Read(Lsn at, char* to, size_t size) override {
    if (at < kStart || at - kStart >= bytes_.size()) return 0;
    size_t from = at - kStart, count = std::min(size, bytes_.size() - from);
    std::memcpy(to, bytes_.data() + from, count);
    return count;
  }
  TimelineId TimelineAt(Lsn) override { return kTimeline; }

 private:
  std::string_view bytes_;
};

// Gives each record of the stream the checksum that it should have.
void StampChecksums(std::string* bytes) {
  for (size_t at = 0; at + sizeof(RecordHeader) <= bytes->size();) {
    uint32_t size = Load<uint32_t>(bytes->data() + at);
    if (size < sizeof(RecordHeader) || size > bytes->size() - at) return;
    Store<uint32_t>(bytes->data() + at + 4, RecordCrc(bytes->data() + at, size, kStart + at, kTimeline));
    at += (size_t{size} + 7) & ~size_t{7};
  }
}

void Look(const DecodedRecord& record) {
  alignas(8) char page[kPageSize];
  for (const PageRef& ref : record.pages) ref.RestoreImage(page);
  try {
    DescribeRecord(record);
    const RecordHandler* handler = FindRecordHandler(record.kind);
    if (handler != nullptr && handler->conflict != nullptr) handler->conflict(record);
  } catch (const SqlError&) {
    // a record that is shorter than its kind says
  }
}

void ReadAll(std::string_view bytes) {
  MemorySource source(bytes);
  WalReader reader(&source);
  DecodedRecord record;
  reader.Seek(kStart);
  while (reader.Next(&record) == ReadResult::kRecord) Look(record);
  if (reader.SeekToRecord(kStart, bytes.size())) {
    while (reader.Next(&record) == ReadResult::kRecord) Look(record);
  }
}

}  // namespace
}  // namespace walden

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  walden::SetLogSink([](const walden::ErrorFields&) {});
  walden::ComposeNode();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walden;
  FuzzInput input(data, size);
  bool stamped = (input.Byte() & 1) == 0;
  std::string bytes(input.Rest());
  if (stamped) StampChecksums(&bytes);
  ReadAll(bytes);
  return 0;
}
