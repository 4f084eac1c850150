import { MillraceError } from '../errors/index.ts'

export interface ReportOptions {
  readonly isJson: boolean
  readonly isVerbose: boolean
}

/** What happened, where, and what to do; a stack only on request or when it is our fault. Ends with a newline. */
export function reportText(error: unknown, { isJson, isVerbose }: ReportOptions): string {
  if (!(error instanceof MillraceError)) return strangerText(error, isJson)
  const { code, message, hint, retriable, context } = error
  // A wait that timed out says little; what it waited for says what to do.
  const isWait = code === 'MR_CLIENT_TIMEOUT' && error.cause instanceof MillraceError
  const advice = isWait ? (error.cause as MillraceError).hint : hint
  if (isJson) {
    const docs = `docs/reference/errors.md#${code.toLowerCase()}`
    const document = { code, message, hint: advice, retriable, docs, context }
    return `${JSON.stringify(document)}\n`
  }
  const isOurs = error.name === 'InternalError'
  return [
    message,
    `  ${advice}`,
    `  (${code}; \`millrace explain ${code}\`)`,
    ...(isVerbose || isOurs ? [error.stack ?? ''] : []),
    '',
  ].join('\n')
}

function strangerText(error: unknown, isJson: boolean): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  if (!isJson) return `${stack}\n`
  const message = error instanceof Error ? error.message : String(error)
  const hint = 'This is a fault in Millrace; please report it with the stack.'
  return `${JSON.stringify({ code: 'MR_INTERNAL', message, hint, retriable: false, context: { stack } })}\n`
}
