// Events of foreign keys as bytes, for queues in bounded memory. The foreign keys themselves are kept once, by reference.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/sql/executor/referential.h"
#include "node/sql/executor/row_container.h"

namespace walden {

// Format: u16 number of the foreign key, u8 kind and flags, u8 which keys follow, then those keys as RowLayout writes them.
class ReferentialRecords {
 public:
  // Appends the event's record.
  void Write(const ReferentialEvent& event, std::string* record);
  // The keys are in the arena.
  ReferentialEvent Read(std::string_view record, Arena* arena) const;
  // No record is left.
  void Clear() { sources_.clear(); }

 private:
  struct Source {
    RelationRef table;
    const PgConstraintRow* constraint;
    bool is_referencing;  // the keys are of the referencing columns
    RowLayout layout;     // of a key
  };
  uint16_t SourceOf(const ReferentialEvent& event);
  void WriteKey(const RowLayout& layout, std::span<const Value> key, std::string* record);

  std::vector<Source> sources_;
  std::vector<char> row_;
};

}  // namespace walden
