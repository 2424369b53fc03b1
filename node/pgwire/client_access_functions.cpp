#include "node/pgwire/client_access_functions.h"

#include <arpa/inet.h>

#include <filesystem>

#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/pgwire/hba.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/types/array.h"
#include "node/types/network.h"

namespace walden {
namespace {

using View = std::string_view;
using Values = std::span<const Value>;

PeerAddress client_end, server_end;

// --- pg_hba_file_rules, pg_ident_file_mappings: what stands in the files now -------------------------------

View TextArray(std::vector<std::string> items, Arena& arena) {
  for (std::string& item : items) {
    if (item.starts_with('"')) item.erase(0, 1);  // the mark of a quoted name
  }
  std::vector<View> views(items.begin(), items.end());
  return MakeTextArray(views, type_oid::kText, arena);
}

std::string AddressText(const uint8_t* bytes, bool is_ipv6) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, bytes, text, sizeof text);
}

std::string MaskText(const HbaLine& line) {
  uint8_t mask[16] = {};
  for (int bit = 0; bit < line.prefix_bits; ++bit) mask[bit / 8] |= static_cast<uint8_t>(0x80 >> bit % 8);
  return AddressText(mask, line.is_ipv6);
}

void PutAddress(const HbaLine& line, RowValues* row) {
  if (line.kind == HbaLine::Kind::kLocal) {
    row->Null().Null();
    return;
  }
  switch (line.address_kind) {
    case HbaLine::Address::kAny: row->Text("all").Null(); break;
    case HbaLine::Address::kSameHost: row->Text("samehost").Null(); break;
    case HbaLine::Address::kSameNet: row->Text("samenet").Null(); break;
    case HbaLine::Address::kName: row->Text(line.host_name).Null(); break;
    case HbaLine::Address::kNetwork:
      row->Text(AddressText(line.address, line.is_ipv6)).Text(MaskText(line));
      break;
  }
}

std::vector<std::string> OptionsOf(const HbaLine& line) {
  std::vector<std::string> options;
  if (!line.user_map.empty()) options.push_back("map=" + line.user_map);
  if (line.client_cert == HbaLine::ClientCert::kVerifyCa) options.push_back("clientcert=verify-ca");
  if (line.client_cert == HbaLine::ClientCert::kVerifyFull) options.push_back("clientcert=verify-full");
  return options;
}

// line_number, type, database, user_name, address, netmask, auth_method, options, error
void PutHbaLine(const ReadLine<HbaLine>& read, RowValues* row, Arena& arena) {
  row->Int4(read.number);
  if (read.problem) {
    for (int i = 0; i < 7; ++i) row->Null();
    row->Text(read.problem->fields().message);
    return;
  }
  const HbaLine& line = *read.line;
  row->Text(HbaKindName(line.kind)).Text(TextArray(line.databases, arena)).Text(TextArray(line.users, arena));
  PutAddress(line, row);
  row->Text(AuthMethodName(line.method));
  std::vector<std::string> options = OptionsOf(line);
  if (options.empty())
    row->Null();
  else
    row->Text(TextArray(options, arena));
  row->TextOrNull(read.remark);
}

std::unique_ptr<TableFunction> StartHbaRules(CallContext& c, Values) {
  const std::string& file = GetString(Setting::kHbaFile);
  auto rows = std::make_unique<RowSet>();
  for (const auto& read :
       ReadHba(ReadWholeFile(file), file, std::filesystem::path(file).parent_path().string())) {
    RowValues row = rows->NewRow();
    PutHbaLine(read, &row, c.arena);
    rows->Add(row);
  }
  return rows;
}

// line_number, map_name, sys_name, pg_username, error
std::unique_ptr<TableFunction> StartIdentMappings(CallContext&, Values) {
  const std::string& file = GetString(Setting::kIdentFile);
  auto rows = std::make_unique<RowSet>();
  for (const auto& read : ReadIdent(ReadWholeFile(file), file)) {
    RowValues row = rows->NewRow();
    row.Int4(read.number);
    if (read.problem)
      row.Null().Null().Null().Text(read.problem->fields().message);
    else
      row.Text(read.line->map).Text(read.line->system_user).Text(read.line->role).Null();
    rows->Add(row);
  }
  return rows;
}

// --- The ends of the connection; null over a Unix socket ---------------------------------------------------

template <const PeerAddress& kEnd>
std::optional<View> Address(CallContext& c) {
  if (kEnd.is_unix) return std::nullopt;
  return StoreNetwork(ParseNetwork(kEnd.host, /*is_cidr=*/false), c.arena);
}
template <const PeerAddress& kEnd>
std::optional<int32_t> Port() {
  return kEnd.is_unix ? std::nullopt : std::optional<int32_t>(kEnd.port);
}

constexpr ScalarFunction kTable[] = {
    Volatile<&Address<client_end>>("inet_client_addr"),
    Volatile<&Port<client_end>>("inet_client_port"),
    Volatile<&Address<server_end>>("inet_server_addr"),
    Volatile<&Port<server_end>>("inet_server_port"),
};
constexpr SetFunction kSets[] = {
    {"pg_hba_file_rules", true, &StartHbaRules},
    {"pg_ident_file_mappings", true, &StartIdentMappings},
};

}  // namespace

std::span<const ScalarFunction> ClientAccessFunctions() { return kTable; }
std::span<const SetFunction> ClientAccessSetFunctions() { return kSets; }

void ServesConnection(int fd) {
  client_end = DescribePeer(fd);
  server_end = DescribeOwnEnd(fd);
}

}  // namespace walden
