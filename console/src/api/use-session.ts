import { useSyncExternalStore } from "react";
import { liveState, onLiveState } from "./live-state";
import { currentSession, onSession } from "./session";

export function useSession() {
  return useSyncExternalStore(onSession, currentSession);
}

export function useLiveState() {
  return useSyncExternalStore(onLiveState, liveState);
}
