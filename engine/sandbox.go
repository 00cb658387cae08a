package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sandboxEnv tells the child which paths it may use: the parent sets it, and the child takes it away when it has locked
// itself in.
const sandboxEnv = "CRMWATCH_ENGINE_SANDBOX"

// sandbox is what the engine's process may reach: these files and directories, and no network. Standard SQL has no need
// of more, while the engine has functions (file, url, ...) that would read any file and reach any host for whoever finds
// a way past the engine's own permissions.
type sandbox struct {
	Write []string `json:"write"`
	Read  []string `json:"read"`
}

// newSandbox lists what the engine needs on a Linux machine, and the files that the operator opens to admins.
func newSandbox(dir, library string, files []string) sandbox {
	return sandbox{
		Write: append([]string{
			filepath.Join(dir, storeDirectory), filepath.Join(dir, configDirectory), filepath.Join(dir, lockFile), "/dev/null",
		}, files...),
		Read: []string{
			library, "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime",
			"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/dev/urandom", "/dev/zero",
			"/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/loadavg", "/proc/uptime", "/proc/sys/vm", "/proc/sys/kernel",
			"/sys/devices/system", "/sys/fs/cgroup", "/sys/kernel/mm",
		},
	}
}

// Access rights of Landlock (include/uapi/linux/landlock.h). Execution is not restricted: what is executed stays inside.
const (
	landlockFileRead  = unix.LANDLOCK_ACCESS_FS_READ_FILE
	landlockDirRead   = landlockFileRead | unix.LANDLOCK_ACCESS_FS_READ_DIR
	landlockFileWrite = landlockFileRead | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	landlockDirWrite  = landlockDirRead | landlockFileWrite | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SYM | unix.LANDLOCK_ACCESS_FS_REFER
	landlockAll = landlockDirWrite | unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK
	landlockNetwork = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
)

var errNoLandlock = errors.New("the kernel offers no Landlock (Linux 5.13)")

// enterSandbox locks this process in, if its parent asked for that, by executing itself again: Landlock binds a thread
// and those it starts, and the Go runtime has started others by now. It returns when there is nothing (more) to do.
func enterSandbox() error {
	text, asked := os.LookupEnv(sandboxEnv)
	if !asked {
		return nil
	}
	if err := os.Unsetenv(sandboxEnv); err != nil {
		return fmt.Errorf("enter sandbox: %w", err)
	}
	var box sandbox
	if err := json.Unmarshal([]byte(text), &box); err != nil {
		return fmt.Errorf("enter sandbox: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("enter sandbox: %w", err)
	}
	box.Read = append(box.Read, self)
	runtime.LockOSThread()
	if err := box.restrictThread(); err != nil {
		runtime.UnlockOSThread()
		if errors.Is(err, errNoLandlock) {
			slog.Warn("engine runs without a sandbox", "error", err)
			return nil
		}
		return fmt.Errorf("enter sandbox: %w", err)
	}
	if err := unix.Exec(self, os.Args, os.Environ()); err != nil {
		return fmt.Errorf("enter sandbox: %w", err)
	}
	return nil
}

func (box sandbox) restrictThread() error {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return fmt.Errorf("%w: %w", errNoLandlock, errno) // too old, switched off, or hidden by a container's filter
	}
	handled := unix.LandlockRulesetAttr{Handled_access_fs: landlockAll}
	if version < 2 {
		handled.Handled_access_fs &^= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version < 3 {
		handled.Handled_access_fs &^= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 4 {
		handled.Handled_access_net = landlockNetwork
	}
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&handled)), unsafe.Sizeof(handled), 0)
	if errno != 0 {
		return fmt.Errorf("create ruleset: %w", errno)
	}
	defer unix.Close(int(ruleset))
	for _, path := range box.Write {
		if err := allow(int(ruleset), path, landlockDirWrite&handled.Handled_access_fs, landlockFileWrite&handled.Handled_access_fs); err != nil {
			return err
		}
	}
	for _, path := range box.Read {
		if err := allow(int(ruleset), path, landlockDirRead, landlockFileRead); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		return fmt.Errorf("restrict: %w", errno)
	}
	return nil
}

// allow opens one path; what is not there needs no opening.
func allow(ruleset int, path string, dirRights, fileRights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: fileRights, Parent_fd: int32(fd)}
	if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		rule.Allowed_access = dirRights
	}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("allow %s: %w", path, errno)
	}
	return nil
}
