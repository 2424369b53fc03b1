#include "node/types/client_text.h"

#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

std::unique_ptr<EncodingConverter> converter;  // as MakeConverter

void CheckClientEncoding(ProposedValue& proposed) {
  const Encoding* encoding = FindEncoding(proposed.text);
  if (encoding == nullptr) {
    throw SqlError(ErrorCode::kInvalidParameterValue,
                   "invalid value for parameter \"client_encoding\": \"{}\"", proposed.text);
  }
  MakeConverter(*encoding);
  proposed.text = encoding->name;
}

void AssignClientEncoding() { converter = MakeConverter(ClientEncoding()); }

std::string_view Keep(std::string converted, std::string* storage) {
  *storage = std::move(converted);
  return *storage;
}

}  // namespace

void InstallClientEncoding() {
  InstallSettingHooks(Setting::kClientEncoding,
                      {.check = CheckClientEncoding, .assign = AssignClientEncoding});
}

const Encoding& ClientEncoding() { return *FindEncoding(GetString(Setting::kClientEncoding)); }

bool ClientConverts() { return converter != nullptr; }

std::string_view FromClient(std::string_view text, std::string* storage) {
  if (converter != nullptr) return Keep(converter->ToUtf8(text), storage);
  Utf8Validate(text);
  return text;
}

std::string_view FromClient(std::string_view text, Arena& arena) {
  std::string storage;
  return arena.Copy(FromClient(text, &storage));
}

std::string_view ToClient(std::string_view text, std::string* storage) {
  return converter == nullptr ? text : Keep(converter->FromUtf8(text), storage);
}

void AppendToClient(std::string_view text, std::string* to) {
  std::string storage;
  to->append(ToClient(text, &storage));
}

std::string_view ToClientLossy(std::string_view text, std::string* storage) {
  return converter == nullptr ? text : Keep(converter->FromUtf8(text, true), storage);
}

}  // namespace walden
