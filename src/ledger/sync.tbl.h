/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every place where the ledger makes something durable: SYNC(name, label, what is
 * lost without it). tests/fault/ledger_cut.c takes each away and must see it.
 */
SYNC(WAL_CREATE, "wal.create", "the ring's name, zeros and length")
SYNC(LEDGER_DIR, "ledger.dir", "the whole log")
SYNC(WAL_FRAME, "wal.frame", "acknowledged entries")
SYNC(KEY_FILE, "key.file", "the signing key of a log that was signed with it")
SYNC(KEY_DIR, "key.dir", "the signing key of a log that was signed with it")
SYNC(VKEY_FILE, "vkey.file", "the public key")
SYNC(TILE_FILE, "tile.file", "entries whose ring frames were recycled")
SYNC(TILE_DIR, "tile.dir", "entries whose ring frames were recycled")
SYNC(STATE_FILE, "state.file", "what was about to be signed")
SYNC(STATE_DIR, "state.dir", "what was about to be signed")
SYNC(CHECKPOINT_FILE, "checkpoint.file", "a checkpoint that others may have seen")
SYNC(CHECKPOINT_DIR, "checkpoint.dir", "a checkpoint that others may have seen")
SYNC(INDEX_FILE, "index.file", "answers: who saw a subject")
SYNC(INDEX_DIR, "index.dir", "indexed parts, which would have to be made again")
