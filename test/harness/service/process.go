package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Process is a running child process whose output goes to a file.
type Process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed after the process is reaped
}

// StartProcess starts cmd with its standard output and error appended to the file log (where they were, if log is empty), in a
// process group of its own, so that an interrupt typed at the terminal reaches it only through whoever started it.
// name is used in errors. The caller ends the process with Stop or Kill, both of which wait for it.
func StartProcess(name string, cmd *exec.Cmd, log string) (*Process, error) {
	return startAs(nil, name, cmd, log)
}

func startAs(who *account, name string, cmd *exec.Cmd, log string) (*Process, error) {
	if log != "" {
		out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, fmt.Errorf("log of %s: %w", name, err)
		}
		defer out.Close()
		cmd.Stdout, cmd.Stderr = out, out
	}
	cmd.SysProcAttr = attributes(who)
	p := &Process{name: name, log: log, cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer close(p.done)
		// The kernel ends the child when the thread that started it ends, so this thread stays ours until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			// How it ended is read from ProcessState.
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// Exited is closed once the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.done }

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// ExitCode waits for the end and returns the exit status, or -1 after a signal.
func (p *Process) ExitCode() int {
	<-p.done
	return p.cmd.ProcessState.ExitCode()
}

// CPU waits for the end and returns the processor time that the process used, user and system.
func (p *Process) CPU() time.Duration {
	<-p.done
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// Kill ends the process at once (SIGKILL) and waits until it is gone. It may be called again.
func (p *Process) Kill() {
	// An error says that the process is gone already, which is what is wanted.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop asks the process to end (SIGTERM) and waits. After grace it is killed, and the error says so. It may be called again.
func (p *Process) Stop(grace time.Duration) error { return p.stop(syscall.SIGTERM, grace) }

func (p *Process) stop(sig os.Signal, grace time.Duration) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.Kill()
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("%s did not stop within %v and was killed\n%s", p.name, grace, p.Tail(40))
	}
}

// Tail returns the last lines of the log.
func (p *Process) Tail(lines int) string { return tail(p.log, lines) }

func tail(path string, lines int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return strings.Join(all, "\n")
}

// await asks ready every 50 ms until it returns nil. It gives up when the process or ctx ends or after limit, with ready's
// last error and the end of the log, and then the process is killed.
func (p *Process) await(ctx context.Context, limit time.Duration, ready func(context.Context) error) error {
	err := p.poll(ctx, limit, ready)
	if err != nil {
		p.Kill()
	}
	return err
}

func (p *Process) poll(ctx context.Context, limit time.Duration, ready func(context.Context) error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var last error
	for {
		select {
		case <-p.done:
			return fmt.Errorf("%s ended while it was starting: %v\n%s", p.name, p.cmd.ProcessState, p.Tail(40))
		case <-ctx.Done():
			return fmt.Errorf("%s was still starting: %w", p.name, context.Cause(ctx))
		case <-timer.C:
			return fmt.Errorf("%s is not up after %v: %w\n%s", p.name, limit, last, p.Tail(40))
		case <-tick.C:
			// One try must not eat the whole limit: a connection made too early may never be answered.
			try, cancel := context.WithTimeout(ctx, 5*time.Second)
			last = ready(try)
			cancel()
			if last == nil {
				return nil
			}
		}
	}
}
