/* SPDX-License-Identifier: Apache-2.0 */
/* A program in C that runs goroutines: linked with ../library.go, as a library of either kind. */
#include <stdio.h>
#include <unistd.h>

void StartWaiting(int count);

int main(void) {
  StartWaiting(5);
  puts("ready");
  fflush(stdout);
  pause();
  return 0;
}
