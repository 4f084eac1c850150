/** Resolves with the first SIGINT, SIGTERM or SIGQUIT. A second one ends the process at once, with exit code 2. */
export function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isFirst = true
    const heard = (signal: NodeJS.Signals): void => {
      if (!isFirst) process.exit(2)
      isFirst = false
      resolve(signal)
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) process.on(signal, heard)
  })
}
