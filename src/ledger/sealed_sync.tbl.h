/* SPDX-License-Identifier: Apache-2.0 */
/* As sync.tbl.h, for src/ledger/sealed.c; tests/fault/sealed_cut.c. */
SYNC(SEALED_TEXT, "sealed.text", "texts that were flushed")
SYNC(SEALED_KEYS, "sealed.keys", "keys of texts that were flushed, or their erasing")
SYNC(SEALED_DIR, "sealed.dir", "a segment, or all keys")
