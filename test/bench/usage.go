package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// used is what a process has used so far.
type used struct {
	cpu time.Duration
	rss int // MB, now
}

// usage reads /proc, so this program runs on Linux.
func usage(pid int) used {
	var u used
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) > 12 {
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		u.cpu = time.Duration(user+system) * (time.Second / 100) // the kernel's ticks
	}
	u.rss = status(strconv.Itoa(pid), "VmRSS:")
	return u
}

// peak is the largest resident memory of a process so far, in MB.
func peak(pid string) int { return status(pid, "VmHWM:") }

func status(pid, key string) int {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb / 1024
		}
	}
	return 0
}
