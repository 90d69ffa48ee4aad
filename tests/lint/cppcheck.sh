#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
cd "$1" && exec cppcheck --quiet -j 2 --std=c11 --enable=warning,portability \
	--inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem \
	--suppress=internalAstError --suppress=comparePointers:src/dict/dict.c --suppress=unknownMacro --library=tests/lint/cppcheck.cfg \
	-Isrc src
