/** Whether the view goes along with what is said, and what came meanwhile. */
export interface Following {
  /** The newest caption is kept in view. */
  follows: boolean;
  /** The view stands still, whatever is said. Transcription goes on. */
  isPaused: boolean;
  /** Captions that came since the reader looked away. */
  unseen: number;
}

export type FollowAction =
  /** The reader moved the view; `atEdge`: the newest caption is in it. */
  | { type: 'scrolled'; atEdge: boolean }
  | { type: 'arrived'; count: number }
  /** Back to the newest caption. */
  | { type: 'jumped' }
  | { type: 'paused' };

export const followingFromStart: Following = { follows: true, isPaused: false, unseen: 0 };

export function nextFollowing(state: Following, action: FollowAction): Following {
  switch (action.type) {
    case 'scrolled':
      if (state.isPaused || action.atEdge === state.follows) return state;
      return { ...state, follows: action.atEdge, unseen: 0 };
    case 'arrived':
      return state.follows && !state.isPaused ? state : { ...state, unseen: state.unseen + action.count };
    case 'jumped':
      return followingFromStart;
    case 'paused':
      return { follows: false, isPaused: true, unseen: 0 };
  }
}

/** The last line may be cut off by this many pixels and still count as seen. */
const edgePx = 48;

/** True when the end of what scrolls is in view. */
export function isAtEdge(view: { scrollTop: number; clientHeight: number; scrollHeight: number }): boolean {
  return view.scrollHeight - view.scrollTop - view.clientHeight <= edgePx;
}
