#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every source names its licence in the first lines.
cd "$1" || exit 2
bad=0
for f in $(find src tests tools bench docs -type f \( -name '*.[ch]' -o -name '*.sh' \
	-o -name '*.py' -o -name '*.js' -o -name '*.java' \) 2>/dev/null); do
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
		{ echo "$f: no SPDX line"; bad=1; }
done
exit $bad
