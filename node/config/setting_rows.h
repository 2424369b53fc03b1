// The rows of settings.def as data, and each setting's state. Private to config.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "node/config/settings.h"

namespace walden {

enum class SettingType : uint8_t { kBool, kInt, kReal, kString, kEnum };

struct SettingRow {
  const char* name;
  SettingType type;
  SettingContext context;
  const char* category;
  uint32_t flags;
  SettingUnit unit;
  const char* description;
  double low, high;  // int and real
  SettingNumber boot;
  const char* boot_text;  // string
  std::span<const EnumOption> options;
};
std::span<const SettingRow> SettingRows();

// A value with where it came from.
struct SourcedValue {
  SettingNumber number{};
  std::string text;
  SettingSource source = SettingSource::kDefault;
  SettingContext context = SettingContext::kInternal;
};

// What to restore when a level ends.
struct StackedValue {
  int level;
  enum class Kind : uint8_t { kSave, kSet, kLocal, kSetThenLocal } kind;
  SourcedValue prior;
  SourcedValue masked;  // kSetThenLocal: the SET value that comes back at commit
};

struct SettingState {
  SourcedValue current;
  SourcedValue reset;
  std::vector<StackedValue> stack;
  SettingHooks hooks;
  std::string source_file;
  int source_line = 0;
  bool pending_restart = false;
};
SettingState& StateOf(Setting setting);

// Puts a value in force: number array, assign hook, report.
void InstallValue(Setting setting, SourcedValue value);
// Remembers the current value for the open level, if any, before it changes.
void PushForChange(Setting setting, SetAction action);

}  // namespace walden
