import { createRequire } from 'node:module'

import type { Logger as Pino, LoggerOptions, StreamEntry } from 'pino'

import type { Logger } from '../ports.ts'
import { describeError } from './describe-error.ts'

export interface LoggerSettings {
  readonly level: string
  /** Also as JSON lines into this file; `true` is `log/<environment>.log`. */
  readonly file?: string | undefined
  /** What `<environment>` is: NODE_ENV. */
  readonly environment?: string | undefined
  /** Which of several workers writes: `price_drops:1`; a field of every line. */
  readonly instance?: string | undefined
}

const require = createRequire(import.meta.url)

/** Readable lines on a terminal, JSON lines otherwise. A file that cannot be written costs a warning. */
export function openLogger({ level, file, environment, instance }: LoggerSettings): Logger {
  // Loaded here, since commands that start no worker should not pay for it.
  const pino = require('pino') as typeof import('pino').default
  const streams: StreamEntry[] = [{ level: 'trace', stream: standardOutput() }]
  const path = filePath(file, environment)
  let isFileWarned = false
  const warnOnce = (error: unknown): void => {
    if (isFileWarned) return
    isFileWarned = true
    logger.warn({ err: error }, `Cannot write the log file ${path}, going on without it`)
  }
  let fileFault: unknown
  if (path !== undefined) {
    try {
      const stream = pino.destination({ dest: path, mkdir: true, sync: true })
      // A disk that is full or was made read-only later must not end the process.
      stream.on('error', warnOnce)
      streams.push({ level: 'trace', stream })
    } catch (error) {
      fileFault = error
    }
  }
  const options: LoggerOptions = {
    level,
    base: instance === undefined ? null : { instance },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: describeError },
  }
  const logger: Pino = pino(options, pino.multistream(streams))
  if (fileFault !== undefined) warnOnce(fileFault)
  return logger
}

function filePath(file: string | undefined, environment: string | undefined): string | undefined {
  if (file === undefined || file === 'false') return undefined
  if (file !== 'true') return file
  const name = environment === undefined || environment === '' ? 'development' : environment
  return `log/${name}.log`
}

function standardOutput(): NodeJS.WritableStream {
  if (!process.stdout.isTTY) return process.stdout
  const pretty = require('pino-pretty') as typeof import('pino-pretty')
  // What is in the text already; programs read the fields, people the line.
  const ignore = 'instance,group,assigned,consumer,topic,partition,offset,attempt,code,exitCode'
  return pretty({ colorize: true, sync: true, translateTime: 'SYS:HH:MM:ss.l', ignore })
}
