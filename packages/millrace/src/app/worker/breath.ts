const longestRunMs = 10

/**
 * Handlers that never wait for anything outside would keep the loop from its sockets, and heartbeats with them.
 * After ten milliseconds without a pause everybody's next message waits for one turn of the loop.
 */
export function breath(): () => Promise<void> | undefined {
  let lastMs = performance.now()
  return () => {
    if (performance.now() - lastMs < longestRunMs) return undefined
    return new Promise((resolve) => {
      setImmediate(() => {
        lastMs = performance.now()
        resolve()
      })
    })
  }
}
