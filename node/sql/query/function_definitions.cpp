// Functions and procedures as the statements that make them.
#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/rows/pg_aggregate.h"
#include "node/catalog/rows/pg_language.h"
#include "node/catalog/syscache.h"
#include "node/catalog/type_name.h"
#include "node/sql/query/object_definitions.h"
#include "node/sql/query/query_text.h"
#include "node/types/quote.h"

namespace walden {

namespace {

constexpr Oid kInternalLanguage{12};
constexpr Oid kCLanguage{13};
constexpr Oid kSqlLanguage{14};
constexpr Oid kInternalType{2281};
constexpr Oid kAnyType{2276};

std::string PlainLiteral(std::string_view text) {
  std::string literal = "'";
  for (char c : text) {
    if (c == '\'') literal += '\'';
    literal += c;
  }
  return literal + "'";
}

// The texts of the defaults of the last arguments.
std::vector<std::string> Defaults(const PgProcRow& row, const DeparseNames& names) {
  std::vector<std::string> texts;
  if (!row.proargdefaults) return texts;
  if (!row.proargdefaults->starts_with('(')) return {*row.proargdefaults};
  Arena arena;
  for (const Node* node : ReadNodeList(*row.proargdefaults, arena)) {
    texts.push_back(DeparseExpr(node, Oid::kInvalid, names, DeparseOptions{}));
  }
  return texts;
}

char ArgumentMode(const PgProcRow& row, size_t i) { return row.proargmodes ? (*row.proargmodes)[i] : 'i'; }
const std::vector<Oid>& ArgumentTypes(const PgProcRow& row) {
  return row.proallargtypes ? *row.proallargtypes : row.proargtypes;
}

std::string ArgumentName(const PgProcRow& row, size_t i) {
  if (!row.proargnames || i >= row.proargnames->size() || (*row.proargnames)[i].empty()) return "";
  return QuoteIdentifier((*row.proargnames)[i]) + " ";
}

std::string_view ModeWord(char mode, bool is_procedure) {
  switch (mode) {
    case 'o': return "OUT ";
    case 'b': return "INOUT ";
    case 'v': return "VARIADIC ";
    default: return is_procedure ? "IN " : "";
  }
}

// Of an ordered-set aggregate, where ORDER BY goes; more than any function has for all others.
size_t DirectArguments(const PgProcRow& row) {
  constexpr size_t kNone = SIZE_MAX;
  if (row.prokind != 'a') return kNone;
  auto aggregate = FindRow<PgAggregateRow>(catalog_index::kPgAggregateFnoidIndex, {row.oid});
  if (aggregate == nullptr || aggregate->aggkind == 'n') return kNone;
  return static_cast<size_t>(aggregate->aggnumdirectargs);
}

std::string ArgumentsOf(const PgProcRow& row, const DeparseNames& names, bool with_defaults) {
  std::vector<std::string> defaults;
  if (with_defaults) defaults = Defaults(row, names);
  size_t first_default = row.proargtypes.size() - std::min(defaults.size(), row.proargtypes.size());
  const std::vector<Oid>& types = ArgumentTypes(row);
  const size_t direct_arguments = DirectArguments(row);
  std::string text;
  size_t inputs = 0;
  for (size_t i = 0; i < types.size(); ++i) {
    char mode = ArgumentMode(row, i);
    if (mode == 't') continue;
    if (inputs == direct_arguments) {
      text += text.empty() ? "ORDER BY " : " ORDER BY ";
    } else if (!text.empty()) {
      text += ", ";
    }
    text += ModeWord(mode, row.prokind == 'p');
    text += ArgumentName(row, i) + FormatType(types[i]);
    bool is_input = mode != 'o';
    if (is_input && inputs >= first_default) text += " DEFAULT " + defaults[inputs - first_default];
    inputs += is_input;
    // One VARIADIC argument stands for both the direct and the aggregated ones.
    if (mode == 'v' && i + 1 == types.size() && inputs == direct_arguments) {
      text += " ORDER BY VARIADIC " + ArgumentName(row, i) + FormatType(types[i]);
    }
  }
  return text;
}

std::string ResultOf(const PgProcRow& row) {
  const std::vector<Oid>& types = ArgumentTypes(row);
  std::string columns;
  for (size_t i = 0; row.proargmodes && i < types.size(); ++i) {
    if (ArgumentMode(row, i) != 't') continue;
    columns += (columns.empty() ? "" : ", ") + ArgumentName(row, i) + FormatType(types[i]);
  }
  if (row.proretset && !columns.empty()) return "TABLE(" + columns + ")";
  return (row.proretset ? "SETOF " : "") + FormatType(row.prorettype);
}

std::string Attributes(const PgProcRow& row) {
  std::string text;
  if (row.prokind == 'w') text += " WINDOW";
  if (row.provolatile == 'i') text += " IMMUTABLE";
  if (row.provolatile == 's') text += " STABLE";
  if (row.proparallel == 's') text += " PARALLEL SAFE";
  if (row.proparallel == 'r') text += " PARALLEL RESTRICTED";
  if (row.proisstrict) text += " STRICT";
  if (row.prosecdef) text += " SECURITY DEFINER";
  if (row.proleakproof) text += " LEAKPROOF";
  // Costs that CREATE FUNCTION assumes are left out.
  float default_cost = row.prolang == kInternalLanguage || row.prolang == kCLanguage ? 1 : 100;
  if (row.procost != default_cost) text += fmt::format(" COST {:g}", row.procost);
  if (row.prorows > 0 && row.prorows != 1000) text += fmt::format(" ROWS {:g}", row.prorows);
  return text;
}

// A dollar quote that does not occur in the text.
std::string DollarQuoted(std::string_view text, std::string tag) {
  while (text.find("$" + tag) != std::string_view::npos) tag += "x";
  return "$" + tag + "$" + std::string(text) + "$" + tag + "$";
}

std::string Settings(const PgProcRow& row) {
  std::string text;
  for (const std::string& item : row.proconfig.value_or(std::vector<std::string>())) {
    size_t equals = item.find('=');
    if (equals == std::string::npos) continue;
    text += " SET " + QuoteIdentifier(item.substr(0, equals)) + " TO " +
            PlainLiteral(item.substr(equals + 1)) + "\n";
  }
  return text;
}

std::string LanguageName(Oid language) {
  auto row = FindRow<PgLanguageRow>(catalog_index::kPgLanguageOidIndex, {language});
  if (row != nullptr) return QuoteIdentifier(row->lanname);
  return language == kInternalLanguage ? "internal" : language == kSqlLanguage ? "sql" : "c";
}

}  // namespace

std::optional<std::string> FunctionArguments(Oid function, const DeparseNames& names, bool with_defaults) {
  auto row = FunctionRow(function);
  if (row == nullptr) return std::nullopt;
  return ArgumentsOf(*row, names, with_defaults);
}

std::optional<std::string> FunctionResult(Oid function) {
  auto row = FunctionRow(function);
  if (row == nullptr || row->prokind == 'p') return std::nullopt;
  return ResultOf(*row);
}

std::optional<std::string> FunctionArgumentDefault(Oid function, int argument, const DeparseNames& names) {
  auto row = FunctionRow(function);
  const size_t position = static_cast<size_t>(argument) - 1;
  if (row == nullptr || argument < 1 || position >= ArgumentTypes(*row).size()) return std::nullopt;
  auto is_input = [&](size_t i) { return ArgumentMode(*row, i) != 'o' && ArgumentMode(*row, i) != 't'; };
  if (!is_input(position)) return std::nullopt;
  size_t ordinal = 0;  // among the input arguments
  for (size_t i = 0; i < position; ++i) ordinal += is_input(i);
  std::vector<std::string> defaults = Defaults(*row, names);
  size_t first_default = row->proargtypes.size() - std::min(defaults.size(), row->proargtypes.size());
  if (ordinal < first_default || ordinal - first_default >= defaults.size()) return std::nullopt;
  return defaults[ordinal - first_default];
}

std::optional<std::string> FunctionDefinition(Oid function, const DeparseNames& names) {
  auto row = FunctionRow(function);
  if (row == nullptr) return std::nullopt;
  if (row->prokind == 'a') {
    throw SqlError(ErrorCode::kWrongObjectType, "\"{}\" is an aggregate function", row->proname);
  }
  if (row->prosqlbody) throw NotSupported("showing a function with an SQL body");
  bool is_procedure = row->prokind == 'p';
  std::string text = is_procedure ? "CREATE OR REPLACE PROCEDURE " : "CREATE OR REPLACE FUNCTION ";
  text += QuoteIdentifier(SchemaName(row->pronamespace)) + "." + QuoteIdentifier(row->proname);
  text += "(" + ArgumentsOf(*row, names, true) + ")\n";
  if (!is_procedure) text += " RETURNS " + ResultOf(*row) + "\n";
  text += " LANGUAGE " + LanguageName(row->prolang) + "\n";
  if (std::string attributes = Attributes(*row); !attributes.empty()) text += attributes + "\n";
  text += Settings(*row);
  text += "AS ";
  if (row->probin) text += PlainLiteral(*row->probin) + ", ";
  return text + DollarQuoted(row->prosrc, is_procedure ? "procedure" : "function") + "\n";
}

}  // namespace walden
