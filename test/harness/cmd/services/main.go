// Command services starts a private Kafka broker, MariaDB and PostgreSQL server, runs a command that finds them through its
// environment, and stops them whatever becomes of the command:
//
//	services go test ./...
//	services -only kafka,mariadb,postgres -fast go run ./test/bench
//
// Its status is that of the command. Interrupted (SIGINT, SIGTERM, SIGHUP) it passes the signal on to the command and all
// the command started, waits, and stops the services.
//
// Without a command it writes the environment to its standard output, one NAME=value a line and an empty line at the end, and
// holds the services until its standard input ends. A test binary that runs by itself uses it so: however the
// binary ends, its end of the pipe closes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"kconnect/test/harness/service"
)

func main() {
	only := flag.String("only", strings.Join(service.Names(), ","), "services to start, separated by commas")
	fast := flag.Bool("fast", false, "run the broker with a JVM for measuring: 1 GB of heap, full optimisation")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "usage: services [flags] [command argument...]\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code, err := run(ctx, strings.Split(*only, ","), service.BrokerOptions{Fast: *fast}, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// run returns the exit status, and an error when services or command did not do their part.
func run(ctx context.Context, names []string, options service.BrokerOptions, command []string) (code int, err error) {
	start := time.Now()
	set, err := service.StartSet(ctx, names, options)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, set.Stop()) }()
	for _, missing := range set.Missing {
		fmt.Fprintln(os.Stderr, "services: not started:", missing)
	}
	if len(set.Missing) > 0 && os.Getenv("CI") == "true" {
		return 1, errors.New("CI=true: a missing service is a failure")
	}
	fmt.Fprintf(os.Stderr, "services: up after %.1f s: %s\n", time.Since(start).Seconds(), strings.Join(set.Environ(), " "))
	if len(command) == 0 {
		return 0, hold(ctx, set)
	}
	return runCommand(ctx, command, set.Environ())
}

// hold returns when the standard input or ctx ends.
func hold(ctx context.Context, set *service.Set) error {
	if _, err := fmt.Println(strings.Join(set.Environ(), "\n") + "\n"); err != nil {
		return err
	}
	ended := make(chan error, 1)
	// After a signal this goroutine is still in its read; the process exits next.
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

// runCommand returns the command's exit status. The command leads a process group, so that a signal reaches what it started
// too: `go test` dies of SIGTERM without ending its test binaries.
func runCommand(ctx context.Context, command, env []string) (int, error) {
	//nolint:noctx // ended below, with all its group
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	process, err := service.StartProcess(command[0], cmd, "")
	if err != nil {
		return 1, err
	}
	select {
	case <-process.Exited():
		// What is left of the group has nobody to report to.
		return process.ExitCode(), process.SignalGroup(syscall.SIGKILL)
	case <-ctx.Done():
	}
	if err := process.SignalGroup(syscall.SIGTERM); err != nil {
		return 1, err
	}
	timer := time.NewTimer(20 * time.Second)
	defer timer.Stop()
	select {
	case <-process.Exited():
	case <-timer.C:
	}
	return 130, errors.Join(context.Cause(ctx), process.SignalGroup(syscall.SIGKILL))
}
