// Which compression a column's long values get.
#pragma once

#include "node/access/toast.h"

namespace walden {

inline constexpr CompressionMethod kPglz{0};

// What a column's attcompression asks for; '\0' leaves it to default_toast_compression.
CompressionMethod ChosenCompression(char attcompression);

}  // namespace walden
