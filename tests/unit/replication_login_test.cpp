// Logging in, tokens, connection strings.
#include <gtest/gtest.h>

#include "node/auth/scram_client.h"
#include "node/base/error.h"
#include "replication/conninfo.h"
#include "replication/login.h"

namespace walden::replication {
namespace {

LoginPolicy Policy(Proof proof, const std::optional<ReplicationRole>& role) {
  return {[proof](const LoginQuestion&) { return proof; },
          [](const std::string& user, const std::string& password) {
            return user == "rep" && password == "plain secret";
          },
          [role](const std::string&) { return role; }};
}
ReplicationRole Role(const std::string& password, bool may_replicate = true) {
  return {Oid{10}, true, may_replicate, ParseScramVerifier(EncodePassword(password))};
}

// The whole exchange; the SQLSTATE of the refusal, or "" and the login.
std::string TryLogin(const LoginPolicy& policy, const std::string& password, Login* login = nullptr) {
  LoginExchange exchange(policy, LoginQuestion{});
  ScramClient client(password);
  try {
    v1::LoginRequest request;
    request.set_user("rep");
    request.set_application_name("r1");
    request.set_sasl(client.FirstMessage());
    std::string answer = exchange.Step(request);
    if (!exchange.finished()) {
      v1::LoginRequest final;
      final.set_sasl(client.FinalMessage(answer));
      EXPECT_TRUE(client.CheckServer(exchange.Step(final)));
    }
    EXPECT_TRUE(exchange.finished());
    if (login != nullptr) *login = exchange.login();
    return "";
  } catch (const SqlError& error) {
    return std::string(SqlState(error.code()));
  }
}

TEST(Login, PasswordDecides) {
  LoginPolicy policy = Policy(Proof::kScram, Role("secret"));
  Login login;
  EXPECT_EQ(TryLogin(policy, "secret", &login), "");
  EXPECT_EQ(login.user, "rep");
  EXPECT_EQ(login.application_name, "r1");
  EXPECT_EQ(login.role, Oid{10});
  EXPECT_EQ(TryLogin(policy, "wrong"), "28P01");
}

TEST(Login, UnknownRoleLooksLikeAWrongPassword) {
  EXPECT_EQ(TryLogin(Policy(Proof::kScram, std::nullopt), "secret"), "28P01");
  ReplicationRole no_password = Role("secret");
  no_password.verifier.reset();
  EXPECT_EQ(TryLogin(Policy(Proof::kScram, no_password), "secret"), "28P01");
}

TEST(Login, OnlyReplicationRolesGetIn) {
  EXPECT_EQ(TryLogin(Policy(Proof::kScram, Role("secret", false)), "secret"), "42501");
  EXPECT_EQ(TryLogin(Policy(Proof::kScram, Role("secret", false)), "wrong"), "28P01")
      << "rights are told to the role only";
  ReplicationRole nologin = Role("secret");
  nologin.may_log_in = false;
  EXPECT_EQ(TryLogin(Policy(Proof::kScram, nologin), "secret"), "28000");
}

TEST(Login, PlainPasswordIsAskedForAndChecked) {
  LoginPolicy policy = Policy(Proof::kPassword, Role("x"));
  for (const auto& [password, fits] : {std::pair{"plain secret", true}, {"wrong", false}, {"", false}}) {
    LoginExchange exchange(policy, LoginQuestion{});
    v1::LoginRequest request;
    request.set_user("rep");
    EXPECT_EQ(exchange.Step(request), "");
    EXPECT_TRUE(exchange.wants_password());
    EXPECT_FALSE(exchange.finished());
    request.set_password(password);
    if (fits)
      exchange.Step(request);
    else
      EXPECT_THROW(exchange.Step(request), SqlError);
    EXPECT_EQ(exchange.finished(), fits);
    EXPECT_FALSE(exchange.finished() && exchange.wants_password());
  }
}

TEST(Login, TrustNeedsNoProofButARole) {
  EXPECT_EQ(TryLogin(Policy(Proof::kNone, Role("secret")), ""), "");
  EXPECT_EQ(TryLogin(Policy(Proof::kNone, std::nullopt), ""), "28000");
}

TEST(Tokens, AreBoundToAnAddressAndAge) {
  TokenStore store;
  Login login;
  login.user = "rep";
  login.host = "10.0.0.1";
  std::string token = store.Issue(login, 0);
  EXPECT_EQ(token.size(), 32u);
  ASSERT_NE(store.Find(token, "10.0.0.1", 1), nullptr);
  EXPECT_EQ(store.Find(token, "10.0.0.2", 1), nullptr);
  EXPECT_EQ(store.Find("guess", "10.0.0.1", 1), nullptr);
  EXPECT_EQ(store.Find("", "10.0.0.1", 1), nullptr);
  EXPECT_NE(store.Find(token, "10.0.0.1", 3000 * int64_t{1000000}), nullptr) << "use keeps it alive";
  EXPECT_NE(store.Find(token, "10.0.0.1", 6000 * int64_t{1000000}), nullptr);
  EXPECT_EQ(store.Find(token, "10.0.0.1", 10000 * int64_t{1000000}), nullptr);
}

TEST(Conninfo, KeywordsAndDefaults) {
  Conninfo info =
      ParseConninfo("host=a,b port=1,2 user = rep password='it\\'s' sslmode=require connect_timeout=3");
  ASSERT_EQ(info.hosts.size(), 2u);
  EXPECT_EQ(info.hosts[1].name, "b");
  EXPECT_EQ(info.hosts[1].port, 2);
  EXPECT_EQ(info.user, "rep");
  EXPECT_EQ(info.password, "it's");
  EXPECT_EQ(info.ssl_mode, SslMode::kRequire);
  EXPECT_EQ(info.connect_timeout_s, 3);
  EXPECT_EQ(ParseConninfo("").hosts[0].port, kDefaultReplicationPort);
  EXPECT_EQ(ParseConninfo("").hosts[0].name, "localhost");
}

TEST(Conninfo, Uri) {
  Conninfo info =
      ParseConninfo("postgresql://rep:p%40ss@[::1]:15432,other/db?sslmode=verify-full&application_name=r1");
  ASSERT_EQ(info.hosts.size(), 2u);
  EXPECT_EQ(info.hosts[0].name, "::1");
  EXPECT_EQ(info.hosts[0].port, 15432);
  EXPECT_EQ(info.hosts[1].port, kDefaultReplicationPort);
  EXPECT_EQ(info.password, "p@ss");
  EXPECT_EQ(info.ssl_mode, SslMode::kVerifyFull);
  EXPECT_EQ(info.application_name, "r1");
}

TEST(Conninfo, RefusesWhatItDoesNotObey) {
  for (const char* text : {"hosst=a", "host", "port=x", "port=1,2 host=a,b,c", "sslmode=maybe", "user='open",
                           "target_session_attrs=any", "host=/tmp"}) {
    EXPECT_THROW(ParseConninfo(text), SqlError) << text;
  }
}

TEST(Conninfo, FormatsWhatItParses) {
  Conninfo info = ParseConninfo("host=a port=7 user=rep password='two words \\\\ and \\''");
  Conninfo again = ParseConninfo(FormatConninfo(info));
  EXPECT_EQ(again.password, info.password);
  EXPECT_EQ(again.hosts[0].port, 7);
  EXPECT_EQ(ConninfoForDisplay(info).find("two words"), std::string::npos);
}

TEST(Conninfo, PasswordFile) {
  constexpr std::string_view kText =
      "# comment\n"
      "other:15432:replication:rep:no\n"
      "localhost:*:replication:r\\:ep:colon\n"
      "localhost:15432:replication:rep:yes\n"
      "*:*:*:*:last\n";
  EXPECT_EQ(FindPassword(kText, {"localhost", 15432}, "rep"), "yes");
  EXPECT_EQ(FindPassword(kText, {"localhost", 1}, "r:ep"), "colon");
  EXPECT_EQ(FindPassword(kText, {"x", 1}, "y"), "last");
  EXPECT_EQ(FindPassword("", {"x", 1}, "y"), "");
}

}  // namespace
}  // namespace walden::replication
