/** What runs first: small, so that a one-time link is redeemed while the rest of the page still comes in. */

import { redeemLink } from './session/redeem.ts';

const token = new URLSearchParams(window.location.hash.slice(1)).get('token');
// Out of the address bar and the history before anything else: the token is good only once anyway.
if (token) window.history.replaceState(null, '', `${import.meta.env.BASE_URL}sign-in`);
const signingIn = token ? redeemLink(token) : undefined;
// Not awaited: that chunk uses helpers of this one, and would wait for its end.
void import('./show.tsx').then(({ show }) => show(signingIn));
