// SCRAM-SHA-256: the two sides against each other.
#include <gtest/gtest.h>

#include "node/auth/scram.h"
#include "node/auth/scram_client.h"
#include "node/base/error.h"

namespace walden {
namespace {

// Runs the exchange; true if both sides are satisfied.
bool Login(const ScramVerifier& verifier, const std::string& password) {
  ScramExchange server(verifier);
  ScramClient client(password);
  std::string server_first = server.FirstMessage(client.FirstMessage());
  std::optional<std::string> server_final = server.FinalMessage(client.FinalMessage(server_first));
  return server_final && client.CheckServer(*server_final);
}

TEST(Scram, RightPasswordSatisfiesBothSides) {
  std::optional<ScramVerifier> verifier = ParseScramVerifier(EncodePassword("correct horse"));
  ASSERT_TRUE(verifier);
  EXPECT_TRUE(Login(*verifier, "correct horse"));
}

TEST(Scram, WrongPasswordAndMockFail) {
  std::optional<ScramVerifier> verifier = ParseScramVerifier(EncodePassword("correct horse"));
  EXPECT_FALSE(Login(*verifier, "battery staple"));
  EXPECT_FALSE(Login(MockScramVerifier("nobody"), "battery staple"));
}

TEST(Scram, ClientDistrustsServerWithoutVerifier) {
  ScramClient client("secret");
  client.FirstMessage();
  EXPECT_FALSE(client.CheckServer("v="));
  EXPECT_FALSE(client.CheckServer("e=other-error"));
}

TEST(Scram, ClientRejectsForeignNonceAndGarbage) {
  ScramClient client("secret");
  client.FirstMessage();
  EXPECT_THROW(client.FinalMessage("r=other,s=QUJD,i=4096"), SqlError);
  EXPECT_THROW(client.FinalMessage(""), SqlError);
  EXPECT_THROW(client.FinalMessage("r=x,s=QUJD,i=zero"), SqlError);
}

TEST(Scram, StoredFormOfTheRfc) {
  // RFC 7677, section 3: user "user", password "pencil".
  std::optional<ScramVerifier> verifier = ParseScramVerifier(
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
      "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  ASSERT_TRUE(verifier);
  EXPECT_TRUE(Login(*verifier, "pencil"));
}

}  // namespace
}  // namespace walden
