#include "node/pgwire/client_text.h"

#include <optional>

#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/types/encoding.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

std::unique_ptr<EncodingConverter> converter;  // null: UTF-8, or SQL_ASCII, which means bytes as they are

void CheckClientEncoding(ProposedValue& proposed) {
  const Encoding* encoding = FindEncoding(proposed.text);
  if (encoding == nullptr) {
    throw SqlError(ErrorCode::kInvalidParameterValue,
                   "invalid value for parameter \"client_encoding\": \"{}\"", proposed.text);
  }
  bool as_is = encoding->id == kUtf8EncodingId || encoding->id == kSqlAsciiEncodingId;
  if (!as_is) EncodingConverter probe(*encoding);
  proposed.text = encoding->name;
}

void AssignClientEncoding() {
  const Encoding* encoding = FindEncoding(GetString(Setting::kClientEncoding));
  bool as_is = encoding->id == kUtf8EncodingId || encoding->id == kSqlAsciiEncodingId;
  converter = as_is ? nullptr : std::make_unique<EncodingConverter>(*encoding);
}

std::string_view Keep(std::string converted, std::string* storage) {
  *storage = std::move(converted);
  return *storage;
}

}  // namespace

void InstallClientEncoding() {
  InstallSettingHooks(Setting::kClientEncoding,
                      {.check = CheckClientEncoding, .assign = AssignClientEncoding});
}

std::string_view FromClient(std::string_view text, std::string* storage) {
  if (converter != nullptr) return Keep(converter->ToUtf8(text), storage);
  Utf8Validate(text);
  return text;
}

std::string_view ToClient(std::string_view text, std::string* storage) {
  return converter == nullptr ? text : Keep(converter->FromUtf8(text), storage);
}

std::string_view ToClientLossy(std::string_view text, std::string* storage) {
  return converter == nullptr ? text : Keep(converter->FromUtf8(text, true), storage);
}

std::string_view StreamFromClient(std::string_view part, bool last, std::string* storage) {
  return converter == nullptr ? part : Keep(converter->Stream(part, last), storage);
}

void BeginStreamFromClient() {
  if (converter != nullptr) converter->ResetStream();
}

bool ClientConverts() { return converter != nullptr; }

}  // namespace walden
