// The runtime includes this header, which the apache-tvm wheel does not ship, and uses nothing of it.
#pragma once
