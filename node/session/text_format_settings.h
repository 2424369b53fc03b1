// DateStyle, TimeZone and the other settings of text forms, kept in a TextFormat.
#pragma once

#include <string_view>

#include "node/config/settings.h"
#include "node/types/text_format.h"

namespace walden {

// From now on changes of these settings change `format`, which must outlive the process's session.
void InstallFormatHooks(TextFormat* format);
// Makes a proposed DateStyle canonical; 22023 for unknown or contradicting words.
void CheckDateStyle(ProposedValue& proposed);
// "ISO, MDY" and the like.
void AssignDateStyle(std::string_view text, TextFormat* format);

}  // namespace walden
