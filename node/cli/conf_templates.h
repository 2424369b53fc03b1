// The configuration files that `walden init` writes.
#pragma once

#include <string>

namespace walden {

std::string PostgresqlConf(const std::string& time_zone);
std::string PgHbaConf(const std::string& auth_local, const std::string& auth_host);
std::string PgIdentConf();

}  // namespace walden
