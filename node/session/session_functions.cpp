#include "node/session/session_functions.h"

#include <unistd.h>

#include "node/base/log.h"
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/config/settings.h"
#include "node/session/session_state.h"
#include "node/session/text_format_settings.h"
#include "node/session/version.h"
#include "node/types/timezone.h"

namespace walden {
int64_t SessionFunctions::StatementStartUs() { return StatementStartTime(); }
int64_t SessionFunctions::TransactionStartUs() { return TransactionStartTime(); }
Oid SessionFunctions::CurrentUser() { return session_identity().current_role; }
Oid SessionFunctions::SessionUser() { return session_identity().session_role; }
std::string_view SessionFunctions::CurrentDatabase() { return session_.state_->database_name; }
std::string_view SessionFunctions::ServerVersion() { return VersionText(); }
int32_t SessionFunctions::BackendPid() { return getpid(); }

bool SessionFunctions::GetSetting(std::string_view name, bool throw_missing, std::string* value) {
  try {
    *value = ShowSetting(name, HasRightsOf(session_identity().current_role, Oid{3374}));
    return true;
  } catch (const SqlError& error) {
    if (throw_missing || error.code() != ErrorCode::kUndefinedObject) throw;
    return false;
  }
}

std::string SessionFunctions::SetSetting(std::string_view name, std::string_view value, bool is_local) {
  SetRequest request;
  request.action = is_local ? SetAction::kLocal : SetAction::kSet;
  request.is_superuser = IsSuperuser(session_identity().current_role);
  walden::SetSetting(name, value, request);
  return ShowSetting(name);
}

void SessionFunctions::Report(const ErrorFields& fields) {
  if (fields.severity >= log_threshold.load(std::memory_order_relaxed)) EmitLog(fields);
  session_.sink_.Notice(fields);
}

void InstallFormatHooks(TextFormat* format) {
  InstallSettingHooks(Setting::kTimeZone,
                      {.check =
                           [](ProposedValue& proposed) {
                             if (const TimeZone* zone = TimeZone::FromSetting(proposed.text)) {
                               proposed.text = zone->name();
                               return;
                             }
                             throw SqlError(ErrorCode::kInvalidParameterValue,
                                            "invalid value for parameter \"TimeZone\": \"{}\"",
                                            proposed.text);
                           },
                       .assign = [format] { format->zone = TimeZone::Find(GetString(Setting::kTimeZone)); }});
  InstallSettingHooks(Setting::kDateStyle, {.check = CheckDateStyle, .assign = [format] {
                                              AssignDateStyle(GetString(Setting::kDateStyle), format);
                                            }});
  InstallSettingHooks(Setting::kIntervalStyle, {.assign = [format] {
                        format->interval_style = GetEnum<IntervalStyle>(Setting::kIntervalStyle);
                      }});
  InstallSettingHooks(Setting::kByteaOutput, {.assign = [format] {
                        format->bytea_output = GetEnum<ByteaForm>(Setting::kByteaOutput) == ByteaForm::kHex
                                                   ? ByteaOutput::kHex
                                                   : ByteaOutput::kEscape;
                      }});
  InstallSettingHooks(Setting::kExtraFloatDigits, {.assign = [format] {
                        format->extra_float_digits = static_cast<int8_t>(GetInt(Setting::kExtraFloatDigits));
                      }});
}

std::string_view VersionText() {
  static const std::string text =
      fmt::format("PostgreSQL {} on {}, compiled by {}, 64-bit", GetString(Setting::kServerVersion),
#if defined(__x86_64__)
                  "x86_64-pc-linux-gnu",
#else
                  "aarch64-unknown-linux-gnu",
#endif
                  "gcc " __VERSION__);
  return text;
}

}  // namespace walden
