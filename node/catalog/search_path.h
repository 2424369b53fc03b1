// Between search_path.cpp and start-up. Private to this folder.
#pragma once

namespace walden {

void InstallSearchPathHooks();

}  // namespace walden
