/** `TypeError: no such customer`, for texts of errors and log lines. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? `${classOf(error)}: ${error.message}` : String(error)
}

export function classOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const own = error.constructor.name
  return own === '' || own === 'Object' ? error.name : own
}
