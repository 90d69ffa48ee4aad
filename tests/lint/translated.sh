#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every message has a Japanese translation; tools/po.sh adds the new ones to fill in.
cd "$1" && exec sh tools/po.sh check
