/** Who may use the gateway. */
export interface UserOptions {
  readonly name: string
  readonly password: string
  /** What is allowed on which topics and groups; `*` stands for any text in a pattern. Default: nothing. */
  readonly rights: readonly RightOptions[]
}

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
  may(right: Right, on?: { readonly topic?: string; readonly group?: string }): boolean
}
