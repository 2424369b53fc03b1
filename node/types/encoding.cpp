#include "node/types/encoding.h"

#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>
#include <unicode/ustring.h>

#include <vector>

#include "node/base/error.h"

namespace walden {
namespace {

constexpr Encoding kEncodings[] = {
    {0, "SQL_ASCII", nullptr, ""},
    {1, "EUC_JP", "EUC-JP", ""},
    {2, "EUC_CN", "GB2312", ""},
    {3, "EUC_KR", "EUC-KR", ""},
    {4, "EUC_TW", "EUC-TW", ""},
    {5, "EUC_JIS_2004", nullptr, " eucjis2004 "},
    {6, "UTF8", nullptr, " unicode "},
    {7, "MULE_INTERNAL", nullptr, ""},
    {8, "LATIN1", "ISO-8859-1", " iso88591 "},
    {9, "LATIN2", "ISO-8859-2", " iso88592 "},
    {10, "LATIN3", "ISO-8859-3", " iso88593 "},
    {11, "LATIN4", "ISO-8859-4", " iso88594 "},
    {12, "LATIN5", "ISO-8859-9", " iso88599 "},
    {13, "LATIN6", "iso-8859_10-1998", " iso885910 "},
    {14, "LATIN7", "ISO-8859-13", " iso885913 "},
    {15, "LATIN8", "iso-8859_14-1998", " iso885914 "},
    {16, "LATIN9", "ISO-8859-15", " iso885915 "},
    {17, "LATIN10", nullptr, " iso885916 "},
    {18, "WIN1256", "windows-1256", " windows1256 "},
    {19, "WIN1258", "windows-1258", " abc tcvn tcvn5712 vscii windows1258 "},
    {20, "WIN866", "IBM866", " alt windows866 "},
    {21, "WIN874", "windows-874", " windows874 "},
    {22, "KOI8R", "KOI8-R", " koi8 "},
    {23, "WIN1251", "windows-1251", " win windows1251 "},
    {24, "WIN1252", "windows-1252", " windows1252 "},
    {25, "ISO_8859_5", "ISO-8859-5", ""},
    {26, "ISO_8859_6", "ISO-8859-6", ""},
    {27, "ISO_8859_7", "ISO-8859-7", ""},
    {28, "ISO_8859_8", "ISO-8859-8", ""},
    {29, "WIN1250", "windows-1250", " windows1250 "},
    {30, "WIN1253", "windows-1253", " windows1253 "},
    {31, "WIN1254", "windows-1254", " windows1254 "},
    {32, "WIN1255", "windows-1255", " windows1255 "},
    {33, "WIN1257", "windows-1257", " windows1257 "},
    {34, "KOI8U", "KOI8-U", ""},
    {35, "SJIS", "Shift_JIS", " mskanji shiftjis win932 windows932 "},
    {36, "BIG5", "Big5", " win950 windows950 "},
    {37, "GBK", "GBK", " win936 windows936 "},
    {38, "UHC", "windows-949", " win949 windows949 "},
    {39, "GB18030", "gb18030", ""},
    {40, "JOHAB", nullptr, ""},
    {41, "SHIFT_JIS_2004", nullptr, " shiftjis2004 "},
};

std::string Folded(std::string_view name) {
  std::string folded;
  for (unsigned char c : name) {
    if (std::isalnum(c)) folded += static_cast<char>(std::tolower(c));
  }
  return folded;
}

std::string HexBytes(std::string_view bytes) {
  std::string text;
  for (unsigned char byte : bytes) text += fmt::format("{}0x{:02x}", text.empty() ? "" : " ", byte);
  return text;
}

// Bytes that a character which begins so takes, valid or not; what error messages show.
size_t CharacterLength(int encoding, std::string_view start) {
  auto byte = [&](size_t i) { return i < start.size() ? static_cast<unsigned char>(start[i]) : 0; };
  constexpr int kEucJp = 1, kEucCn = 2, kEucKr = 3, kEucTw = 4, kSjis = 35, kBig5 = 36, kGbk = 37, kUhc = 38,
                kGb18030 = 39;
  constexpr unsigned kSingleShift2 = 0x8E, kSingleShift3 = 0x8F;
  if (byte(0) < 0x80) return 1;
  switch (encoding) {
    case kEucJp: return byte(0) == kSingleShift3 ? 3 : 2;
    case kEucTw: return byte(0) == kSingleShift2 ? 4 : byte(0) == kSingleShift3 ? 3 : 2;
    case kSjis: return byte(0) >= 0xA1 && byte(0) <= 0xDF ? 1 : 2;
    case kGb18030: return byte(1) >= '0' && byte(1) <= '9' ? 4 : 2;
    case kEucCn:
    case kEucKr:
    case kBig5:
    case kGbk:
    case kUhc: return 2;
    default: return 1;
  }
}

std::string Utf8Of(const UChar* text, int32_t length) {
  std::string utf8(static_cast<size_t>(length) * 3 + 1, '\0');
  int32_t bytes = 0;
  UErrorCode status = U_ZERO_ERROR;
  u_strToUTF8(utf8.data(), static_cast<int32_t>(utf8.size()), &bytes, text, length, &status);
  utf8.resize(U_FAILURE(status) ? 0 : static_cast<size_t>(bytes));
  return utf8;
}

}  // namespace

const Encoding* FindEncoding(std::string_view name) {
  std::string folded = Folded(name);
  for (const Encoding& encoding : kEncodings) {
    if (folded == Folded(encoding.name)) return &encoding;
    if (std::string_view(encoding.other_names).find(" " + folded + " ") != std::string_view::npos)
      return &encoding;
  }
  return nullptr;
}

const Encoding* EncodingById(int id) {
  for (const Encoding& encoding : kEncodings) {
    if (encoding.id == id) return &encoding;
  }
  return nullptr;
}

EncodingConverter::EncodingConverter(const Encoding& encoding) : encoding_(encoding), converter_(nullptr) {
  UErrorCode status = U_ZERO_ERROR;
  if (encoding.icu != nullptr) converter_ = ucnv_open(encoding.icu, &status);
  if (converter_ == nullptr || U_FAILURE(status)) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "conversion between {} and UTF8 is not supported",
                   encoding.name);
  }
  ucnv_setToUCallBack(converter_, UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
}

EncodingConverter::~EncodingConverter() {
  if (converter_ != nullptr) ucnv_close(converter_);
}

std::string EncodingConverter::Convert(std::string_view text, bool last) {
  std::vector<UChar> wide(text.size() * 2 + 16);
  UChar* to = wide.data();
  const char* from = text.data();
  UErrorCode status = U_ZERO_ERROR;
  ucnv_toUnicode(converter_, &to, wide.data() + wide.size(), &from, text.data() + text.size(), nullptr, last,
                 &status);
  if (U_FAILURE(status)) {
    char bytes[8];
    int8_t length = sizeof bytes;
    UErrorCode ignored = U_ZERO_ERROR;
    ucnv_getInvalidChars(converter_, bytes, &length, &ignored);
    ucnv_resetToUnicode(converter_);
    std::string wrong(bytes, static_cast<size_t>(length));
    std::string_view rest(from, static_cast<size_t>(text.data() + text.size() - from));
    size_t whole = CharacterLength(encoding_.id, wrong + std::string(rest.substr(0, 1)));
    if (whole > wrong.size()) wrong += rest.substr(0, whole - wrong.size());
    throw SqlError(ErrorCode::kCharacterNotInRepertoire, "invalid byte sequence for encoding \"{}\": {}",
                   encoding_.name, HexBytes(wrong));
  }
  return Utf8Of(wide.data(), static_cast<int32_t>(to - wide.data()));
}

std::string EncodingConverter::ToUtf8(std::string_view text) {
  ucnv_resetToUnicode(converter_);
  return Convert(text, true);
}

std::string EncodingConverter::Stream(std::string_view part, bool last) { return Convert(part, last); }

std::string EncodingConverter::FromUtf8(std::string_view text, bool lossy) {
  std::vector<UChar> wide(text.size() + 1);
  int32_t wide_length = 0;
  UErrorCode status = U_ZERO_ERROR;
  u_strFromUTF8(wide.data(), static_cast<int32_t>(wide.size()), &wide_length, text.data(),
                static_cast<int32_t>(text.size()), &status);
  ucnv_resetFromUnicode(converter_);
  ucnv_setFromUCallBack(converter_, lossy ? UCNV_FROM_U_CALLBACK_SUBSTITUTE : UCNV_FROM_U_CALLBACK_STOP,
                        nullptr, nullptr, nullptr, &status);
  std::string bytes(
      static_cast<size_t>(UCNV_GET_MAX_BYTES_FOR_STRING(wide_length, ucnv_getMaxCharSize(converter_))), '\0');
  char* to = bytes.data();
  const UChar* from = wide.data();
  ucnv_fromUnicode(converter_, &to, bytes.data() + bytes.size(), &from, wide.data() + wide_length, nullptr,
                   true, &status);
  if (U_FAILURE(status)) {
    UChar lacking[4];
    int8_t length = 4;
    UErrorCode ignored = U_ZERO_ERROR;
    ucnv_getInvalidUChars(converter_, lacking, &length, &ignored);
    throw SqlError(
        ErrorCode::kUntranslatableCharacter,
        "character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding \"{}\"",
        HexBytes(Utf8Of(lacking, length)), encoding_.name);
  }
  bytes.resize(static_cast<size_t>(to - bytes.data()));
  return bytes;
}

std::unique_ptr<EncodingConverter> MakeConverter(const Encoding& encoding) {
  if (encoding.id == kUtf8EncodingId || encoding.id == kSqlAsciiEncodingId) return nullptr;
  return std::make_unique<EncodingConverter>(encoding);
}

}  // namespace walden
