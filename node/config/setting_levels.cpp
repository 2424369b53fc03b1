// Transaction levels: what a SET at some nesting level leaves behind when the level commits or aborts.
#include <exception>

#include "node/config/setting_rows.h"
#include "node/config/settings.h"

namespace walden {
namespace {

using Kind = StackedValue::Kind;
int current_level = 0;
// Settings with a non-empty stack; a transaction that sets nothing costs nothing.
std::vector<Setting> touched;

// The transaction itself commits: SET values stay, LOCAL ones end.
void CommitTopLevel(Setting setting, StackedValue entry) {
  if (entry.kind == Kind::kLocal) InstallValue(setting, std::move(entry.prior));
  if (entry.kind == Kind::kSetThenLocal) InstallValue(setting, std::move(entry.masked));
}

// Both the level that commits and its parent changed the setting: the parent's prior value stays what an
// abort restores.
void MergeInto(StackedValue& parent, StackedValue entry) {
  switch (entry.kind) {
    case Kind::kSave: break;
    case Kind::kSet: parent.kind = Kind::kSet; break;
    case Kind::kLocal:
      // What the parent SET is now hidden by a LOCAL value.
      if (parent.kind == Kind::kSet) {
        parent.masked = std::move(entry.prior);
        parent.kind = Kind::kSetThenLocal;
      }
      break;
    case Kind::kSetThenLocal:
      parent.masked = std::move(entry.masked);
      parent.kind = Kind::kSetThenLocal;
      break;
  }
}

void MergeIntoParent(Setting setting, SettingState& state, StackedValue entry) {
  if (entry.kind == Kind::kSave) {
    InstallValue(setting, std::move(entry.prior));
  } else if (entry.level == 1) {
    CommitTopLevel(setting, std::move(entry));
  } else if (!state.stack.empty() && state.stack.back().level == entry.level - 1) {
    MergeInto(state.stack.back(), std::move(entry));
  } else {
    entry.level -= 1;
    state.stack.push_back(std::move(entry));
  }
}

void CloseOne(Setting setting, bool commit) {
  SettingState& state = StateOf(setting);
  StackedValue entry = std::move(state.stack.back());
  state.stack.pop_back();
  if (commit) {
    MergeIntoParent(setting, state, std::move(entry));
  } else {
    InstallValue(setting, std::move(entry.prior));
  }
}

}  // namespace

void PushForChange(Setting setting, SetAction action) {
  if (current_level == 0) return;
  SettingState& state = StateOf(setting);
  if (!state.stack.empty() && state.stack.back().level == current_level) {
    StackedValue& entry = state.stack.back();
    switch (action) {
      case SetAction::kSet: entry.kind = Kind::kSet; break;
      case SetAction::kLocal:
        if (entry.kind == Kind::kSet) {
          entry.masked = state.current;
          entry.kind = Kind::kSetThenLocal;
        }
        break;
      case SetAction::kSave: break;
    }
    return;
  }
  Kind kind = action == SetAction::kSet     ? Kind::kSet
              : action == SetAction::kLocal ? Kind::kLocal
                                            : Kind::kSave;
  if (state.stack.empty()) touched.push_back(setting);
  state.stack.push_back({current_level, kind, state.current, {}});
}

int OpenSettingLevel() { return ++current_level; }
int CurrentSettingLevel() { return current_level; }

void CloseSettingLevel(int level, bool commit) {
  while (current_level >= level && current_level > 0) {
    for (size_t i = 0; i < touched.size(); ++i) {
      SettingState& state = StateOf(touched[i]);
      if (!state.stack.empty() && state.stack.back().level == current_level) CloseOne(touched[i], commit);
    }
    std::erase_if(touched, [](Setting setting) { return StateOf(setting).stack.empty(); });
    --current_level;
  }
}

SettingScope::SettingScope() : level_(OpenSettingLevel()), exceptions_(std::uncaught_exceptions()) {}
SettingScope::~SettingScope() { CloseSettingLevel(level_, std::uncaught_exceptions() == exceptions_); }

}  // namespace walden
