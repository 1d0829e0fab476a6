package main

import (
	"fmt"
	"syscall"
	"time"
)

const columns = "id INT AUTO_INCREMENT PRIMARY KEY, user_id VARCHAR(20), pwd VARCHAR(20), name VARCHAR(20), created_at DATETIME DEFAULT NOW()"

// schema is what stands before a row in its envelope.
const schema = `{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"user_id"},` +
	`{"type":"string","optional":true,"field":"pwd"},{"type":"string","optional":true,"field":"name"},` +
	`{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"created_at"}],"optional":false,"name":"users1"},"payload":`

// measured runs work in this process and notes rate and CPU.
func (b *bench) measured(name string, rows int, work func() error) error {
	before := ownCPU()
	begin := time.Now()
	if err := work(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	took := time.Since(begin)
	b.results = append(b.results, result{name: name, rate: float64(rows) / took.Seconds(), cpu: (ownCPU() - before) / time.Duration(rows), rss: peak("self")})
	fmt.Printf("%s: %d rows in %.2f s\n", name, rows, took.Seconds())
	return nil
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
