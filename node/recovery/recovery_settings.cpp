// Values of settings that are refused where they are set, not where they are used.
#include <algorithm>
#include <cctype>

#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/recovery/background_processes.h"
#include "node/recovery/replication_slots.h"
#include "node/txn/sender_slots.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

SqlError Invalid(const char* name, const std::string& value) {
  return SqlError(ErrorCode::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", name,
                  value);
}

void CheckTimeline(ProposedValue& proposed) {
  const std::string& text = proposed.text;
  if (text == "latest" || text == "current") return;
  bool number = !text.empty();
  for (char c : text) number &= std::isdigit(static_cast<unsigned char>(c)) != 0;
  if (number) return;
  throw Invalid("recovery_target_timeline", text)
      .WithDetail("recovery_target_timeline is not a valid number.");
}

void CheckTargetImmediate(ProposedValue& proposed) {
  if (proposed.text.empty() || proposed.text == "immediate") return;
  throw Invalid("recovery_target", proposed.text).WithDetail("The only allowed value is \"immediate\".");
}

void CheckTargetName(ProposedValue& proposed) {
  constexpr size_t kLongestName = 63;
  if (proposed.text.size() <= kLongestName) return;
  throw Invalid("recovery_target_name", proposed.text)
      .WithDetail(fmt::format("recovery_target_name is too long (maximum {} characters)", kLongestName));
}

void CheckSlotName(ProposedValue& proposed) {
  if (!proposed.text.empty()) CheckReplicationSlotName(proposed.text);
}

// What -1 stands for is chosen once; a file that says -1 again changes nothing.
void CheckWalBuffers(ProposedValue& proposed) {
  constexpr int64_t kLeast = 4;
  if (proposed.number.integer >= 0)
    proposed.number.integer = std::max(proposed.number.integer, kLeast);
  else if (GetInt(Setting::kWalBuffers) >= 0)
    proposed.number.integer = AutomaticWalBuffers();
}

}  // namespace

void InstallRecoverySettingHooks() {
  InstallSettingHooks(Setting::kSynchronousStandbyNames,
                      {.check = [](ProposedValue& proposed) { ParseSyncStandbyNames(proposed.text); }});
  InstallSettingHooks(Setting::kRecoveryTargetTimeline, {.check = CheckTimeline});
  InstallSettingHooks(Setting::kRecoveryTarget, {.check = CheckTargetImmediate});
  InstallSettingHooks(Setting::kRecoveryTargetName, {.check = CheckTargetName});
  InstallSettingHooks(Setting::kPrimarySlotName, {.check = CheckSlotName});
  InstallSettingHooks(Setting::kWalBuffers, {.check = CheckWalBuffers});
  InstallSettingHooks(Setting::kArchiveCommand, {.show = [] {
                        bool archives = GetEnum<ArchiveMode>(Setting::kArchiveMode) != ArchiveMode::kOff;
                        return archives ? GetString(Setting::kArchiveCommand) : std::string("(disabled)");
                      }});
}

}  // namespace walden
