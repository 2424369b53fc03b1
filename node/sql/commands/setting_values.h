// Settings that act in folders which do not know settings, and settings whose values name objects or locales.
#pragma once

namespace walden {

// Before the first fork, after the configuration files were read: a value in them that is not allowed stops the start.
void InstallValueHooks();

}  // namespace walden
