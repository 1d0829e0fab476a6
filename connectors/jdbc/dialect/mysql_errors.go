package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// mysqlClasses has the vendor codes of MariaDB and MySQL whose SQLSTATE does
// not tell, or tells wrong. Other codes go by their SQLSTATE.
var mysqlClasses = map[uint16]Class{
	// Cut off, or not let in for now.
	1040: Transient, 1203: Transient, 1226: Transient, // too many connections, of a user, per hour
	1042: Connection, 1043: Connection, 1047: Connection, // host, handshake, WSREP not ready
	1053: Connection, 1077: Connection, 1078: Connection, 1079: Connection, 1080: Connection, // shutdown
	1129: Connection, // blocked after many connection errors
	1152: Connection, 1155: Connection, 1156: Connection, 1157: Connection, 1158: Connection, 1159: Connection,
	1160: Connection, 1161: Connection, 1184: Connection, // network
	1189: Connection, 1190: Connection, 1927: Connection, 4031: Connection, // killed, idle too long
	// Refuses for now.
	1205: Transient, 1213: Transient, 1206: Transient, 1614: Transient, 3058: Transient, // locks, deadlock
	1290: Transient, 1836: Transient, 1792: Transient, // read-only: a fail-over is under way
	1021: Transient, 1114: Transient, 1030: Transient, 1026: Transient, 3: Transient, 14: Transient, // disk or table full, storage
	1037: Transient, 1038: Transient, 1041: Transient, 1135: Transient, // memory, threads
	1317: Transient, 1969: Transient, 3024: Transient, // interrupted, statement timeout
	1020: Transient, 1412: Transient, 1615: Transient, 1637: Transient, // changed meanwhile, prepare again
	// Not there.
	1049: Missing, 1051: Missing, 1054: Missing, 1109: Missing, 1146: Missing, 1932: Missing, 1356: Missing,
	// Not allowed.
	1044: Permission, 1045: Permission, 1130: Permission, 1131: Permission, 1132: Permission, 1133: Permission,
	1141: Permission, 1142: Permission, 1143: Permission, 1147: Permission, 1227: Permission, 1251: Permission,
	1275: Permission, 1370: Permission, 1698: Permission, 1820: Permission, 1862: Permission, 3118: Permission,
	3159: Permission, 4151: Permission,
	// Of one row.
	1048: Data, 1062: Data, 1118: Data, 1153: Data, 1169: Data, 1264: Data, 1265: Data, 1292: Data, 1301: Data,
	1364: Data, 1365: Data, 1366: Data, 1367: Data, 1406: Data, 1411: Data, 1416: Data, 1441: Data, 1451: Data,
	1452: Data, 1526: Data, 1586: Data, 1690: Data, 1748: Data, 3140: Data, 3819: Data, 4025: Data, 4161: Data,
	// Not understood.
	1064: Syntax, 1149: Syntax,
}

// Classify says what kind of fault an error is.
func (d *mySQL) Classify(err error) Class {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		if c, ok := mysqlClasses[e.Number]; ok {
			return c
		}
		return classOfState(string(e.SQLState[:]))
	}
	if errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, mysql.ErrPktSync) || errors.Is(err, mysql.ErrPktSyncMul) ||
		errors.Is(err, mysql.ErrMalformPkt) || errors.Is(err, mysql.ErrBusyBuffer) {
		return Connection
	}
	if errors.Is(err, mysql.ErrPktTooLarge) {
		return Data
	}
	return classOfNetwork(err)
}

// classOfState goes by the class of an SQLSTATE, its first two characters.
func classOfState(state string) Class {
	if len(state) != 5 {
		return Permanent
	}
	switch state[:2] {
	case "08":
		return Connection
	case "22", "23":
		return Data
	case "28":
		return Permission
	case "40", "53", "57":
		return Transient
	case "42":
		return Syntax
	}
	return Permanent
}

// classOfNetwork recognises the errors of a connection that is gone.
func classOfNetwork(err error) Class {
	var n net.Error
	switch {
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.As(err, &n):
		return Connection
	}
	if strings.Contains(err.Error(), "bad connection") { // the driver keeps this error to itself
		return Connection
	}
	return Permanent
}
