import { createHash, timingSafeEqual } from 'node:crypto'
import { failure } from '../../errors/index.ts'
import { ReplyError } from '../reply.ts'
import type { Session } from '../session.ts'

/** Who may use the gateway. */
export interface UserOptions {
  readonly name: string
  readonly password: string
  /** What is allowed on which topics and groups; `*` stands for any text in a pattern. Default: nothing. */
  readonly rights?: readonly RightOptions[]
}

/** `admin` makes topics and groups, ends connections and sees what others do. */
export type Right = 'produce' | 'consume' | 'admin'

export interface RightOptions {
  readonly right: Right
  /** Patterns of topics; default `['*']`. */
  readonly topics?: readonly string[]
  /** Patterns of groups, for `consume`; default `['*']`. */
  readonly groups?: readonly string[]
}

/** What a connection may do. Without configured users there is one that may do everything. */
export interface User {
  readonly name: string
  /** False for the user of a connection that has not said who it is. */
  readonly isKnown: boolean
  may(right: Right, on?: { readonly topic?: string; readonly group?: string }): boolean
}

/** Of a gateway without users. */
const everybody: User = { name: 'default', isKnown: true, may: () => true }
const nobody: User = { name: 'default', isKnown: false, may: () => false }

export class Users {
  readonly #byName: ReadonlyMap<string, { readonly user: User; readonly digest: Buffer }>

  /** @throws MR_CONFIG_INVALID for names that are empty or stand twice, and empty passwords */
  constructor(options: readonly UserOptions[]) {
    const faults: string[] = []
    const names = options.map(({ name }) => name)
    for (const [at, { name, password }] of options.entries()) {
      if (name === '') faults.push(`gateway.users[${at}]: its name is empty`)
      if (password === '') faults.push(`gateway.users[${at}]: its password is empty`)
      if (names.indexOf(name) !== at) faults.push(`gateway.users: ${name} is there twice`)
    }
    if (faults.length > 0) throw failure('MR_CONFIG_INVALID', { faults })
    this.#byName = new Map(
      options.map((one) => [one.name, { user: userOf(one), digest: digestOf(one.password) }]),
    )
  }

  /** Whoever connects first is nobody. */
  get areNeeded(): boolean {
    return this.#byName.size > 0
  }

  get initial(): User {
    return this.areNeeded ? nobody : everybody
  }

  /** The user, or undefined for a wrong name or password, which take the same time. */
  login(name: string, password: string): User | undefined {
    const digest = digestOf(password)
    const known = this.#byName.get(name)
    const isRight = timingSafeEqual(known?.digest ?? digestOf(''), digest)
    return isRight && known !== undefined ? known.user : undefined
  }
}

/**
 * Refuses what the connection's user may not do.
 * @throws ReplyError NOPERM, in Redis's wording
 */
export function permit(
  { user }: Session,
  right: Right,
  on: { readonly topic?: string; readonly group?: string } = {},
): void {
  if (user.may(right, on)) return
  throw noPermission()
}

export function noPermission(): ReplyError {
  return new ReplyError('NOPERM No permissions to access a key')
}

function userOf({ name, rights = [] }: UserOptions): User {
  const rules = rights.map(({ right, topics = ['*'], groups = ['*'] }) => ({
    right,
    topics: topics.map(patternOf),
    groups: groups.map(patternOf),
  }))
  const fits = (patterns: readonly RegExp[], text: string | undefined): boolean =>
    text === undefined || patterns.some((pattern) => pattern.test(text))
  return {
    name,
    isKnown: true,
    may: (right, { topic, group } = {}) =>
      rules.some(
        (rule) => rule.right === right && fits(rule.topics, topic) && fits(rule.groups, group),
      ),
  }
}

function patternOf(text: string): RegExp {
  return new RegExp(
    `^${text
      .split('*')
      .map((part) => RegExp.escape(part))
      .join('.*')}$`,
    's',
  )
}

function digestOf(password: string): Buffer {
  return createHash('sha256').update(password).digest()
}
