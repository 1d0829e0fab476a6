// Package test holds the checks that concern the repository as a whole. The folders beside it hold the black-box suites;
// harness gives them their services.
package test
