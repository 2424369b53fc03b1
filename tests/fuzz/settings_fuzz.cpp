// Files and texts that an administrator writes: postgresql.conf, pg_hba.conf, pg_ident.conf, connection strings of replicas. The first
// byte says which.
#include <iterator>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/pgwire/hba.h"
#include "replication/conninfo.h"
#include "tests/fuzz/fuzz_input.h"

namespace walden {
namespace {

void Configuration(std::string_view text) {
  std::vector<ConfEntry> entries;
  ParseConfText(text, "postgresql.conf", &entries);
  for (const ConfEntry& entry : entries) {
    try {
      CheckSetting(entry.name, entry.value, {SettingContext::kSighup, SettingSource::kFile});
    } catch (const SqlError&) {
      // refused by name or value
    }
  }
}

bool IsMember(std::string_view user, std::string_view role) { return user == role; }

void HostAccess(std::string_view text) {
  std::vector<HbaLine> lines = ParseHba(text, "pg_hba.conf", "");
  for (bool is_unix : {true, false}) {
    PeerAddress peer{};
    peer.is_unix = is_unix;
    for (bool encrypted : {true, false}) MatchHba(lines, {peer, encrypted, "postgres", "alice", IsMember});
  }
}

void Identities(std::string_view text) {
  std::vector<IdentLine> lines = ParseIdent(text, "pg_ident.conf");
  for (const IdentLine& line : lines) IdentAllows(lines, line.map, "alice@example.com", "alice");
}

void ConnectionString(std::string_view text) {
  replication::Conninfo info = replication::ParseConninfo(text);
  std::string again = replication::FormatConninfo(info);
  CHECK(replication::FormatConninfo(replication::ParseConninfo(again)) == again);
  replication::ConninfoForDisplay(info);
  for (const auto& host : info.hosts) replication::FindPassword(text, host, info.user);
}

}  // namespace
}  // namespace walden

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walden;
  FuzzInput input(data, size);
  constexpr void (*kReaders[])(std::string_view) = {Configuration, HostAccess, Identities, ConnectionString};
  auto* reader = kReaders[input.Byte() % std::size(kReaders)];
  try {
    reader(input.Rest());
  } catch (const SqlError&) {
    // what is not understood is refused so
  }
  return 0;
}
