//go:build !linux

package service

import "syscall"

// account has no use here: only Linux starts servers as another user.
type account struct{}

func attributes(*account) *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

// SignalGroup signals the process alone: groups are used on Linux only.
func (p *Process) SignalGroup(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }

func serverAccount(...string) (*account, error) { return nil, nil }

func (*account) give(string) error { return nil }
