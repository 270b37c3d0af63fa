# Runs inside ctest: asks each test program for its cases and registers every case with labels, a timeout and a way to say "skipped".
#   [grad]                              unit and grad
#   [smoke]                             unit and smoke: all of them together take less than 10 s
#   [parity] [data] [slow] [nightly] [emulated]    these alone
#   anything else                       unit
function(register_cases program factor)
  get_filename_component(folder ${program} NAME)
  execute_process(COMMAND ${program} --list-for-ctest OUTPUT_VARIABLE lines RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    add_test(${folder}_not_built ${program})   # fails, and names what is missing
    return()
  endif()
  string(REGEX REPLACE "^test_" "" folder ${folder})
  string(ASCII 1 open)   # brackets and semicolons would group and split CMake's lists
  string(ASCII 2 close)
  string(ASCII 3 semicolon)
  string(REPLACE "[" ${open} lines "${lines}")
  string(REPLACE "]" ${close} lines "${lines}")
  string(REPLACE ";" ${semicolon} lines "${lines}")
  string(REGEX MATCHALL "[^\n]+" lines "${lines}")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^([^\t]+)\t(.*)$" line "${line}")
    set(name "${CMAKE_MATCH_1}")
    set(tags "${CMAKE_MATCH_2}")
    if(tags MATCHES "${open}\\.${close}")   # hidden
      continue()
    endif()
    string(REGEX MATCHALL "${open}(grad|smoke|parity|data|slow|nightly|emulated)${close}" labels "${tags}")
    string(REGEX REPLACE "[${open}${close}]" "" labels "${labels}")
    if(NOT labels MATCHES "parity|data|slow|nightly|emulated")
      list(APPEND labels unit)
    endif()
    set(seconds 120)
    if(labels MATCHES "nightly")
      set(seconds 3600)
    elseif(labels MATCHES "slow|parity|data")
      set(seconds 600)
    endif()
    math(EXPR seconds "${seconds} * ${factor}")
    string(REGEX REPLACE "([,\\\\${open}])" "\\\\\\1" pattern "${name}")   # what Catch2 would take for syntax
    foreach(text name pattern)
      string(REPLACE ${open} "[" ${text} "${${text}}")
      string(REPLACE ${close} "]" ${text} "${${text}}")
      string(REPLACE ${semicolon} ";" ${text} "${${text}}")
    endforeach()
    add_test("${folder}/${name}" ${program} --warn NoTests "${pattern}")
    set_tests_properties("${folder}/${name}" PROPERTIES TIMEOUT ${seconds} LABELS "${labels}" SKIP_REGULAR_EXPRESSION "skipped: ")
  endforeach()
endfunction()
