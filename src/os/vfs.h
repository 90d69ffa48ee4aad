/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file layer under the ledger: a table of calls, so that tests can put a
 * simulated disk there (tests/fault/simdisk.h) that loses, reorders and tears
 * what was not synced.
 *
 * Every call that makes something durable names its site, a short constant
 * ("wal.frame"); the fault tests take one site after the other away and expect
 * to see it. Paths are whole paths. Errors: ERR_NOTFOUND, ERR_EXISTS,
 * ERR_NOSPACE, ERR_DENIED, ERR_BUSY (lock), ERR_NOMEM, and ERR_IO for the rest.
 * A sync that fails is ERR_IO, whatever the reason (ERR_NOTFOUND: there is no such
 * directory): the system may have dropped the data, so there is no second try.
 */
#ifndef KB_OS_VFS_H
#define KB_OS_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct vfs;

/* An open file; an implementation has this as its first member. */
struct vfs_file {
	const struct vfs *vfs;
};

enum {
	VFS_WRITE = 1,		/* else read only */
	VFS_CREATE = 2,		/* mode 0600 with VFS_PRIVATE, else 0644 */
	VFS_EXCL = 4,
	VFS_TRUNC = 8,
	VFS_PRIVATE = 16,
	/*
	 * Every write is durable when it returns. Aligned to 4 KiB in memory, place
	 * and length; past the page cache where the file system can (O_DIRECT).
	 */
	VFS_DSYNC = 32
};

enum vfs_kind { VFS_FILE, VFS_DIR, VFS_OTHER };

struct vfs {
	/* site: of the writes of a VFS_DSYNC file, else NULL. */
	enum err (*open)(const struct vfs *v, struct vfs_file **out,
	    const char *path, unsigned flags, const char *site);
	void (*close)(struct vfs_file *f);
	/* Reads up to n bytes; fewer only at the end of the file. */
	enum err (*read)(struct vfs_file *f, void *buf, size_t n, uint64_t off,
	    size_t *got);
	enum err (*write)(struct vfs_file *f, const void *buf, size_t n,
	    uint64_t off);	/* all or an error */
	enum err (*size)(struct vfs_file *f, uint64_t *bytes);
	enum err (*truncate)(struct vfs_file *f, uint64_t bytes);
	enum err (*sync)(struct vfs_file *f, const char *site);
	/* Hints, never an error: begin to write back; begin to read. */
	void (*write_soon)(struct vfs_file *f);
	void (*read_soon)(struct vfs_file *f, uint64_t off, size_t n);
	/* Exclusive, held until close, ERR_BUSY when another process has it. */
	enum err (*lock)(struct vfs_file *f);

	enum err (*rename)(const struct vfs *v, const char *from, const char *to);
	enum err (*unlink)(const struct vfs *v, const char *path);
	enum err (*mkdir)(const struct vfs *v, const char *path);
	enum err (*rmdir)(const struct vfs *v, const char *path);
	/* Makes creations, renames and removals in a directory durable. */
	enum err (*sync_dir)(const struct vfs *v, const char *path,
	    const char *site);
	/* Calls each(name, kind), without "." and "..", in no order. */
	enum err (*list)(const struct vfs *v, const char *path,
	    enum err (*each)(void *arg, const char *name, enum vfs_kind kind),
	    void *arg);
	enum err (*free_bytes)(const struct vfs *v, const char *path,
	    uint64_t *bytes);
};

/* The real one. */
const struct vfs *vfs_os(void);

/* Conveniences over any vfs. */
bool vfs_exists(const struct vfs *v, const char *path);
/*
 * mkdir that is content with an existing directory. Durable in its parent, also
 * when it existed: whoever made it may have been killed before the sync.
 */
enum err vfs_mkdir_sync(const struct vfs *v, const char *path, const char *site);
/* The whole file, at most max bytes (ERR_TOOBIG); takes: free() it. */
enum err vfs_read_all(const struct vfs *v, const char *path, size_t max,
    uint8_t **out, size_t *len);
/* path.tmp, sync, rename, sync of the directory: the old or the new, never half. */
enum err vfs_replace(const struct vfs *v, const char *path, const void *p,
    size_t len, unsigned flags, const char *site_file, const char *site_dir);
/* The directory part of path, "." when there is none; out needs strlen(path)+2. */
void vfs_dirname(char *out, const char *path);

#endif
