import { useCallback, useEffect, useRef, useState } from "preact/hooks";

/** Pixels from the end that still count as "at the end". */
const NEAR = 24;

/**
 * Keeps a scrolling box at its end while its content grows, until the user scrolls up.
 *
 * @returns {{box: {current: HTMLElement | null}, content: {current: HTMLElement | null}, away: boolean, onScroll: () => void,
 *   follow: () => void}} refs for the scroller and its content; `away` when there is more below than the user sees
 */
export function useFollow() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const content = useRef(/** @type {HTMLElement | null} */ (null));
  const following = useRef(true);
  const lastTop = useRef(0);
  const [away, setAway] = useState(false);

  const toEnd = useCallback(() => {
    const element = box.current;
    if (element && following.current) element.scrollTop = element.scrollHeight;
  }, []);

  const onScroll = useCallback(() => {
    const element = box.current;
    if (!element) return;
    const below = element.scrollHeight - element.clientHeight - element.scrollTop;
    const movedUp = element.scrollTop < lastTop.current - 1;
    lastTop.current = element.scrollTop;
    if (below <= 1 || (below < NEAR && !movedUp)) following.current = true;
    else if (movedUp) following.current = false;
    setAway(!following.current);
  }, []);

  const follow = useCallback(() => {
    following.current = true;
    setAway(false);
    toEnd();
  }, []);

  useEffect(() => {
    const observer = new ResizeObserver(toEnd);
    if (box.current) observer.observe(box.current);
    if (content.current) observer.observe(content.current);
    return () => observer.disconnect();
  }, []);

  return { box, content, away, onScroll, follow };
}
