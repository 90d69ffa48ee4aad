/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every error that a function may return: ERR(name, text, what to do).
 * The single source for enum err, err_text(), err_advice() and the manual.
 */
ERR(OK, "done", "")
ERR(NOMEM, "out of memory", "add memory or lower the limits in kuraban.conf")
ERR(SHORT, "more bytes are needed", "")
ERR(FORMAT, "malformed data", "the other side or the file is broken; see the message before")
ERR(TOOBIG, "larger than its limit", "see docs/limits.md")
ERR(NOTFOUND, "not found", "check the name")
ERR(EXISTS, "exists already", "choose another name")
ERR(IO, "input/output error", "check the disk; nothing is released until the ledger can seal")
ERR(NOSPACE, "disk full", "free space on the state directory's file system")
ERR(BROKEN, "a proof does not hold", "keep the files as they are and call the auditor")
ERR(BUSY, "in use by another process", "another kuraban runs on this state directory")
ERR(DENIED, "not permitted", "")
ERR(AUTH, "authentication failed", "")
ERR(CLOSED, "the other side closed", "")
ERR(TIMEOUT, "timed out", "")
ERR(PHASE, "not allowed in this state", "")
ERR(CONFIG, "configuration error", "kuraban check -c FILE explains")
