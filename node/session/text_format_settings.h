// DateStyle, TimeZone and the other settings of text forms, kept in a TextFormat.
#pragma once

#include <string_view>

#include "node/types/text_format.h"

namespace walden {

// From now on changes of these settings change `format`, which must outlive the process's session.
void InstallFormatHooks(TextFormat* format);
// "ISO, MDY" and the like.
void AssignDateStyle(std::string_view text, TextFormat* format);

}  // namespace walden
