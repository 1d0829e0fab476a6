// Command kconnect is Kafka Connect without the JVM: one worker of a Connect
// cluster or by itself, or everything in one process for a demonstration. Called
// by the name connect-distributed or connect-standalone it is that subcommand.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version and commit are set by the linker.
var (
	version = "dev"
	commit  = "unknown"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := newCommand()
	cmd.SetArgs(arguments(os.Args))
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "kconnect:", err)
		stop()
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "kconnect",
		Short:         "Kafka Connect without the JVM",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newDistributedCommand(), newDemoCommand(), newHealthCommand(), newStandaloneCommand(), newVersionCommand())
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "kconnect %s (%s)\n", version, commit)
		},
	}
}

// arguments turns the program's name into a subcommand: connect-distributed
// and connect-standalone, also with the endings of scripts and programs, and drops the scripts'
// -daemon (whoever wants a daemon lets a supervisor run this one).
func arguments(args []string) []string {
	name := filepath.Base(args[0])
	for _, ending := range []string{".sh", ".bat", ".exe"} {
		name = strings.TrimSuffix(name, ending)
	}
	subcommand, ok := strings.CutPrefix(name, "connect-")
	if !ok {
		return args[1:]
	}
	rest := args[1:]
	if len(rest) > 0 && rest[0] == "-daemon" {
		rest = rest[1:]
	}
	return append([]string{subcommand}, rest...)
}
