// What the server log says of statements as they run: log_statement, log_duration, log_min_duration_statement, sampling, parameters. One a
// session; costs a few comparisons when nothing is asked for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "node/sql/parser/ast.h"

namespace walden {

class Portal;
struct TextFormat;
class ObjectNames;

class StatementLog {
 public:
  // A message of the client begins; `starts_transaction`: none is in progress.
  void Begin(bool starts_transaction);
  // It is about to run this statement: says so once if log_statement names its kind. `portal`: with these parameters.
  void Runs(const ast::Node* statement, std::string_view action, std::string_view text,
            const Portal* portal = nullptr);
  // It has succeeded: says how long it took, if that is asked for.
  void Ends(std::string_view action, std::string_view text, const Portal* portal = nullptr);

  // Something may be logged of the message that Begin was called for.
  bool IsActive() const;

  // How values look.
  void Use(const TextFormat* format, ObjectNames* names);
  // "$1 = '42', $2 = NULL", each cut at `limit` bytes (-1: not at all); empty without parameters.
  std::string Parameters(const Portal& portal, int64_t limit) const;

 private:
  void Say(std::string message, const Portal* portal) const;

  const TextFormat* format_ = nullptr;
  ObjectNames* names_ = nullptr;
  int64_t began_us_ = 0;  // 0: durations are not wanted
  bool was_logged_ = false;
  bool is_sampled_ = false;  // the whole transaction is
};

// "unnamed portal with parameters: ..." for an error's context, as log_parameter_max_length_on_error asks; empty when it does not.
std::string ParameterContext(const StatementLog& log, const Portal& portal);

}  // namespace walden
