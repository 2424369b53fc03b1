# Row structs, catalog descriptors and built-in tables from node/catalog/data.
set(generated_dir ${CMAKE_BINARY_DIR}/generated/node/catalog)
file(GLOB data_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/catalog/data/*.tsv
     ${CMAKE_CURRENT_SOURCE_DIR}/catalog/data/*.sql)
set(generated_sources)
foreach(name catalog_declarations builtin_functions builtin_types builtin_operators builtin_aggregates builtin_access
        system_views)
  list(APPEND generated_sources ${generated_dir}/${name}.cpp)
endforeach()
add_custom_command(
  OUTPUT ${generated_sources} ${generated_dir}/catalog_ids.h
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/catalog/generate.py
          ${CMAKE_CURRENT_SOURCE_DIR}/catalog/data ${generated_dir}
  DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/catalog/generate.py ${data_files}
  COMMENT "Generating catalog declarations")
add_custom_target(walden_catalog_declarations DEPENDS ${generated_sources} ${generated_dir}/catalog_ids.h)
target_sources(walden_catalog PRIVATE ${generated_sources})
add_dependencies(walden_catalog walden_catalog_declarations)
