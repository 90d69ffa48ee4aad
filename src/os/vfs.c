/* SPDX-License-Identifier: Apache-2.0 */
#include "os/vfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct os_file {
	struct vfs_file base;
	int fd;
};

static int
fd_of(struct vfs_file *f)
{
	return ((struct os_file *)f)->fd;
}

static enum err
err_of(int e)
{
	switch (e) {
	case ENOENT:
		return ERR_NOTFOUND;
	case EEXIST:
	case ENOTEMPTY:
		return ERR_EXISTS;
	case ENOSPC:
	case EDQUOT:
		return ERR_NOSPACE;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_DENIED;
	case EWOULDBLOCK:
		return ERR_BUSY;
	case ENOMEM:
		return ERR_NOMEM;
	default:
		return ERR_IO;
	}
}

static enum err
result(int rc)
{
	return rc < 0 ? err_of(errno) : ERR_OK;
}

static enum err
os_open(const struct vfs *v, struct vfs_file **out, const char *path,
    unsigned flags, const char *site)
{
	int fl = O_CLOEXEC | ((flags & VFS_WRITE) ? O_RDWR : O_RDONLY);
	mode_t mode = (flags & VFS_PRIVATE) ? 0600 : 0644;
	struct os_file *f;
	int fd;

	(void)site;
	if (flags & VFS_CREATE)
		fl |= O_CREAT;
	if (flags & VFS_EXCL)
		fl |= O_EXCL;
	if (flags & VFS_TRUNC)
		fl |= O_TRUNC;
	if (flags & VFS_DSYNC) {
		fl |= O_DSYNC;
		fd = open(path, fl | O_DIRECT, mode);
		if (fd < 0 && errno == EINVAL)	/* tmpfs and others refuse */
			fd = open(path, fl, mode);
	} else {
		fd = open(path, fl, mode);
	}
	if (fd < 0)
		return err_of(errno);
	if ((f = malloc(sizeof *f)) == NULL) {
		close(fd);
		return ERR_NOMEM;
	}
	f->base.vfs = v;
	f->fd = fd;
	*out = &f->base;
	return ERR_OK;
}

static void
os_close(struct vfs_file *f)
{
	if (f == NULL)
		return;
	close(fd_of(f));
	free(f);
}

static enum err
os_read(struct vfs_file *f, void *buf, size_t n, uint64_t off, size_t *got)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = pread(fd_of(f), (char *)buf + done, n - done,
		    (off_t)(off + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_of(errno);
		if (r == 0)
			break;
		done += (size_t)r;
	}
	*got = done;
	return ERR_OK;
}

static enum err
os_write(struct vfs_file *f, const void *buf, size_t n, uint64_t off)
{
	for (size_t done = 0; done < n;) {
		ssize_t r = pwrite(fd_of(f), (const char *)buf + done, n - done,
		    (off_t)(off + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? err_of(errno) : ERR_IO;
		done += (size_t)r;
	}
	return ERR_OK;
}

static enum err
os_size(struct vfs_file *f, uint64_t *bytes)
{
	struct stat st;

	if (fstat(fd_of(f), &st) < 0)
		return err_of(errno);
	*bytes = (uint64_t)st.st_size;
	return ERR_OK;
}

static enum err
os_truncate(struct vfs_file *f, uint64_t bytes)
{
	return result(ftruncate(fd_of(f), (off_t)bytes));
}

static enum err
os_sync(struct vfs_file *f, const char *site)
{
	(void)site;
	return fsync(fd_of(f)) < 0 ? ERR_IO : ERR_OK;
}

static void
os_write_soon(struct vfs_file *f)
{
	(void)sync_file_range(fd_of(f), 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void
os_read_soon(struct vfs_file *f, uint64_t off, size_t n)
{
	(void)posix_fadvise(fd_of(f), (off_t)off, (off_t)n, POSIX_FADV_WILLNEED);
}

static enum err
os_lock(struct vfs_file *f)
{
	return result(flock(fd_of(f), LOCK_EX | LOCK_NB));
}

static enum err
os_rename(const struct vfs *v, const char *from, const char *to)
{
	(void)v;
	return result(rename(from, to));
}

static enum err
os_unlink(const struct vfs *v, const char *path)
{
	(void)v;
	return result(unlink(path));
}

static enum err
os_mkdir(const struct vfs *v, const char *path)
{
	(void)v;
	return result(mkdir(path, 0755));
}

static enum err
os_rmdir(const struct vfs *v, const char *path)
{
	(void)v;
	return result(rmdir(path));
}

static enum err
os_sync_dir(const struct vfs *v, const char *path, const char *site)
{
	enum err err;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)v;
	(void)site;
	if (fd < 0)
		return err_of(errno);
	err = fsync(fd) < 0 ? ERR_IO : ERR_OK;
	close(fd);
	return err;
}

static enum vfs_kind
kind_of(DIR *d, const struct dirent *e)
{
	struct stat st;

	if (e->d_type == DT_REG)
		return VFS_FILE;
	if (e->d_type == DT_DIR)
		return VFS_DIR;
	if (e->d_type != DT_UNKNOWN ||
	    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return VFS_OTHER;
	return S_ISREG(st.st_mode) ? VFS_FILE :
	    S_ISDIR(st.st_mode) ? VFS_DIR : VFS_OTHER;
}

static enum err
os_list(const struct vfs *v, const char *path,
    enum err (*each)(void *arg, const char *name, enum vfs_kind kind), void *arg)
{
	DIR *d = opendir(path);
	enum err err = ERR_OK;
	struct dirent *e;

	(void)v;
	if (d == NULL)
		return err_of(errno);
	while (err == ERR_OK && (errno = 0, e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			err = each(arg, e->d_name, kind_of(d, e));
	if (err == ERR_OK && errno != 0)
		err = err_of(errno);
	closedir(d);
	return err;
}

static enum err
os_free_bytes(const struct vfs *v, const char *path, uint64_t *bytes)
{
	struct statvfs st;

	(void)v;
	if (statvfs(path, &st) < 0)
		return err_of(errno);
	*bytes = (uint64_t)st.f_bavail * st.f_frsize;
	return ERR_OK;
}

const struct vfs *
vfs_os(void)
{
	static const struct vfs os = {
		.open = os_open, .close = os_close, .read = os_read,
		.write = os_write, .size = os_size, .truncate = os_truncate,
		.sync = os_sync, .write_soon = os_write_soon,
		.read_soon = os_read_soon, .lock = os_lock, .rename = os_rename,
		.unlink = os_unlink, .mkdir = os_mkdir, .rmdir = os_rmdir,
		.sync_dir = os_sync_dir, .list = os_list,
		.free_bytes = os_free_bytes,
	};

	return &os;
}

bool
vfs_exists(const struct vfs *v, const char *path)
{
	struct vfs_file *f;
	enum err err = v->open(v, &f, path, 0, NULL);

	if (err == ERR_OK)
		v->close(f);
	return err != ERR_NOTFOUND;
}

void
vfs_dirname(char *out, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (slash == NULL)
		strcpy(out, ".");
	else if (n == 0)
		strcpy(out, "/");
	else
		memcpy(out, path, n), out[n] = 0;
}

enum err
vfs_mkdir_sync(const struct vfs *v, const char *path, const char *site)
{
	enum err err = v->mkdir(v, path);
	char *dir;

	if (err != ERR_OK && err != ERR_EXISTS)
		return err;
	if ((dir = malloc(strlen(path) + 2)) == NULL)
		return ERR_NOMEM;
	vfs_dirname(dir, path);
	err = v->sync_dir(v, dir, site);
	free(dir);
	return err;
}

enum err
vfs_read_all(const struct vfs *v, const char *path, size_t max, uint8_t **out,
    size_t *len)
{
	struct vfs_file *f = NULL;
	uint8_t *p = NULL;
	uint64_t bytes;
	enum err err;
	size_t got;

	if ((err = v->open(v, &f, path, 0, NULL)) != ERR_OK)
		return err;
	if ((err = v->size(f, &bytes)) != ERR_OK)
		goto out;
	if (bytes > max) {
		err = ERR_TOOBIG;
		goto out;
	}
	if ((p = malloc(bytes + 1)) == NULL) {	/* one more: never malloc(0) */
		err = ERR_NOMEM;
		goto out;
	}
	if ((err = v->read(f, p, bytes, 0, &got)) != ERR_OK)
		goto out;
	p[got] = 0;
	*out = p;
	*len = got;
	p = NULL;
out:
	free(p);
	v->close(f);
	return err;
}

enum err
vfs_replace(const struct vfs *v, const char *path, const void *p, size_t len,
    unsigned flags, const char *site_file, const char *site_dir)
{
	size_t n = strlen(path);
	char *tmp = malloc(n + 5);
	struct vfs_file *f = NULL;
	enum err err;

	if (tmp == NULL)
		return ERR_NOMEM;
	memcpy(tmp, path, n);
	memcpy(tmp + n, ".tmp", 5);
	err = v->open(v, &f, tmp, flags | VFS_WRITE | VFS_CREATE | VFS_TRUNC, NULL);
	if (err == ERR_OK)
		err = v->write(f, p, len, 0);
	if (err == ERR_OK)
		err = v->sync(f, site_file);
	if (f != NULL)
		v->close(f);
	if (err == ERR_OK)
		err = v->rename(v, tmp, path);
	if (err == ERR_OK) {
		vfs_dirname(tmp, path);
		err = v->sync_dir(v, tmp, site_dir);
	}
	free(tmp);
	return err;
}
