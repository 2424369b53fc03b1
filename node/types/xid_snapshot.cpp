#include "node/types/xid_snapshot.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "node/base/error.h"
#include "node/types/hash.h"
#include "node/types/integer.h"
#include "node/types/wire.h"

namespace walden {
namespace {

SqlError BadText(std::string_view text) {
  return SqlError(ErrorCode::kInvalidTextRepresentation, "invalid input syntax for type pg_snapshot: \"{}\"",
                  text);
}

// xmin:xmax:xid,xid,...
class TextParser {
 public:
  explicit TextParser(std::string_view text) : text_(text), rest_(text) {}
  std::string_view Parse(Arena& arena) {
    uint64_t xmin = Number(':'), xmax = Number(':');
    if (xmin == 0 || xmax < xmin) throw BadText(text_);
    std::vector<uint64_t> running;
    while (!rest_.empty()) {
      uint64_t xid = Number(',');
      bool in_order = running.empty() || xid >= running.back();
      if (xid < xmin || xid >= xmax || !in_order) throw BadText(text_);
      if (running.empty() || xid != running.back()) running.push_back(xid);
    }
    return MakeXidSnapshot(xmin, xmax, running, arena);
  }

 private:
  // Up to `end`, which only a list's last number may lack.
  uint64_t Number(char end) {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
    uint64_t value = 0;
    auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) throw BadText(text_);
    rest_.remove_prefix(static_cast<size_t>(stop - rest_.data()));
    if (rest_.empty() && end == ',') return value;
    if (rest_.empty() || rest_[0] != end) throw BadText(text_);
    rest_.remove_prefix(1);
    return value;
  }
  std::string_view text_, rest_;
};

void SnapshotIn(std::string_view text, TypeIo& io, Datum* to) {
  *to = StringDatum(TextParser(text).Parse(io.arena));
}
void SnapshotOut(const Datum& value, TypeIo&, std::string* to) {
  XidSnapshotView view(value.string.view());
  AppendUint(to, view.xmin());
  to->push_back(':');
  AppendUint(to, view.xmax());
  to->push_back(':');
  for (size_t i = 0; i < view.count(); ++i) {
    if (i > 0) to->push_back(',');
    AppendUint(to, view.running(i));
  }
}

void SnapshotReceive(std::string_view bytes, TypeIo& io, Datum* to) {
  WireReader reader(bytes);
  uint32_t count = reader.Take<uint32_t>();
  uint64_t xmin = reader.Take<uint64_t>(), xmax = reader.Take<uint64_t>(), last = 0;
  bool good = xmin != 0 && xmin <= xmax && count <= bytes.size() / sizeof(uint64_t);
  std::vector<uint64_t> running;
  for (uint32_t i = 0; good && i < count; ++i) {
    uint64_t xid = reader.Take<uint64_t>();
    good = xid >= last && xid >= xmin && xid < xmax;
    if (xid != last) running.push_back(xid);
    last = xid;
  }
  if (!good) throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid external pg_snapshot data");
  *to = StringDatum(MakeXidSnapshot(xmin, xmax, running, io.arena));
}
void SnapshotSend(const Datum& value, TypeIo&, std::string* to) {
  XidSnapshotView view(value.string.view());
  AppendBig<uint32_t>(to, static_cast<uint32_t>(view.count()));
  AppendBig<uint64_t>(to, view.xmin());
  AppendBig<uint64_t>(to, view.xmax());
  for (size_t i = 0; i < view.count(); ++i) AppendBig<uint64_t>(to, view.running(i));
}

constexpr TypeDescriptor Snapshot(uint32_t oid, std::string_view name, uint32_t array) {
  return {Oid{oid},     name,        PhysicalType::kString,
          -1,           'd',         'b',
          ',',          Oid{0},      Oid{array},
          SnapshotIn,   SnapshotOut, SnapshotReceive,
          SnapshotSend, nullptr,     nullptr,
          nullptr,      nullptr};
}
constexpr TypeDescriptor kTypes[] = {Snapshot(5038, "pg_snapshot", 5039),
                                     Snapshot(2970, "txid_snapshot", 2949)};

}  // namespace

uint64_t XidSnapshotView::Word(size_t i) const {
  uint64_t word;
  std::memcpy(&word, bytes_.data() + i * sizeof word, sizeof word);
  return word;
}

bool XidSnapshotView::Sees(uint64_t xid) const {
  if (xid < xmin()) return true;
  if (xid >= xmax()) return false;
  size_t low = 0, high = count();
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (running(middle) == xid) return false;
    if (running(middle) < xid)
      low = middle + 1;
    else
      high = middle;
  }
  return true;
}

std::string_view MakeXidSnapshot(uint64_t xmin, uint64_t xmax, std::span<const uint64_t> running,
                                 Arena& arena) {
  std::string bytes;
  auto append = [&](uint64_t word) { bytes.append(reinterpret_cast<const char*>(&word), sizeof word); };
  append(xmin);
  append(xmax);
  for (uint64_t xid : running) append(xid);
  return arena.Copy(bytes);
}

std::span<const TypeDescriptor> XidSnapshotTypes() { return kTypes; }

}  // namespace walden
